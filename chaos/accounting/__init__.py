"""After a run: is every row where it belongs, once? A sentence for each thing that is not; none is a pass.

What ought to be is taken from the file's own facts, from the foreign records and from what the stream really took.
What is there is read from the stores and from the API.
"""
