"""The methods of life-long learning, one file each."""
