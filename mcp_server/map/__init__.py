"""`codeloupe map`: one page that shows all that is indexed. Imported by that command alone."""
