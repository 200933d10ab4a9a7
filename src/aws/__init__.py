"""The edge to AWS that both sides of the stream share: how clients are made, and what their errors mean."""
