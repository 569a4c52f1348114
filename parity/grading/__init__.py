"""A folder of submissions in, grades out: a page and a text per student, tables and exports."""
