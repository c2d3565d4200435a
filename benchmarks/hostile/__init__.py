"""The hostile set: clusters as others have them, with an oracle that is not the code under test."""
