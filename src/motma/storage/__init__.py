"""The only room that speaks SQL: tables, two engines, one group-commit writer, and the keys kept beside them."""
