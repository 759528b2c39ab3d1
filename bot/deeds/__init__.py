"""What the engine asks to be done and a patient presses: carried out with the rows, after proof where proof is needed."""
