"""Columns as arrays."""

from __future__ import annotations

import pyarrow as pa
import pytest

from storage.schema import matrix_from, vector_schema

DIM = 4


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_vectors_of_any_number_of_rows_are_a_matrix(rows: int) -> None:
    table = pa.Table.from_batches([], vector_schema(DIM))
    column = pa.chunked_array([pa.array([[0.5] * DIM] * rows, table.schema.field("embedding").type)])
    assert matrix_from(column).shape == (rows, DIM)
    assert matrix_from(table.column("embedding")).shape == (0, DIM)
