"""From hits to an answer: what is shown of each, within how many tokens, as text or as JSON."""
