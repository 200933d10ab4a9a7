"""What the CSV holds beside what the stores hold."""
