package org.example.billing;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** Invoices in a relational database. */
public final class JdbcInvoiceRepository implements InvoiceRepository {
    private final DataSource database;

    public JdbcInvoiceRepository(DataSource database) {
        this.database = database;
    }

    @Override
    public Optional<Invoice> findByNumber(String number) {
        return select("SELECT * FROM invoices WHERE number = ?", number).stream().findFirst();
    }

    @Override
    public List<Invoice> findUnpaid(LocalDate dueBefore) {
        return select("SELECT * FROM invoices WHERE status = 'SENT' AND due < ?", dueBefore);
    }

    @Override
    public void save(Invoice invoice) {
        run("UPDATE invoices SET status = ? WHERE number = ?", invoice.status().name(), invoice.number());
    }

    @Override
    public String nextNumber(int year) {
        run("UPDATE invoice_numbers SET last = last + 1 WHERE year = ?", year);
        return String.format("%d-%06d", year, 1);
    }

    private List<Invoice> select(String sql, Object value) {
        try (Connection connection = database.getConnection(); var statement = connection.prepareStatement(sql)) {
            statement.setObject(1, value);
            List<Invoice> found = new ArrayList<>();
            for (ResultSet rows = statement.executeQuery(); rows.next(); ) {
                found.add(mapRow(rows));
            }
            return found;
        } catch (SQLException cause) {
            throw new StorageException("invoices could not be read", cause);
        }
    }

    private Invoice mapRow(ResultSet row) throws SQLException {
        var status = Invoice.Status.valueOf(row.getString("status"));
        var due = row.getDate("due").toLocalDate();
        return new Invoice(row.getString("number"), row.getString("customer_id"), due, List.of(), status);
    }

    private void run(String sql, Object... values) {
        try (Connection connection = database.getConnection(); var statement = connection.prepareStatement(sql)) {
            for (int at = 0; at < values.length; at++) {
                statement.setObject(at + 1, values[at]);
            }
            statement.executeUpdate();
        } catch (SQLException cause) {
            throw new StorageException("invoices could not be written", cause);
        }
    }

    /** The database failed. */
    public static final class StorageException extends RuntimeException {
        StorageException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
