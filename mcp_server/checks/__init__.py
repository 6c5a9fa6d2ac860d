"""What doctor looks at, a module a subject: each gives findings and changes nothing. Their order is doctor's."""
