"""The facts: their schema, how they are loaded and checked. Imports only model, codes and errors."""
