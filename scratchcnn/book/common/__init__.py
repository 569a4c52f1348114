"""The book's `common` folder."""
