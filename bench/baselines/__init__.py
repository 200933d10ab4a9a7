"""What a competent user would write instead. Nothing here is slow on purpose."""
