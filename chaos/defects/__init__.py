"""Defects of our own making: each is planted into a copy of the tree, and the tests have to notice."""
