"""The facts: their schema, how they are loaded and checked. Imports none of the other rooms."""
