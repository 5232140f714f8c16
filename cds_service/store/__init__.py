"""What is kept: feedback, the cards issued, and which tokens were used. No patient identifiers."""
