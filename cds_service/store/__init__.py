"""What is kept: feedback and the cards issued. No patient identifiers."""
