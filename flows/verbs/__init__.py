"""What a person types: the verbs of the command line, by capability."""
