"""What a competent user would write instead, one design or part a file. Nothing here is slow on purpose."""
