package org.example.billing;

import java.time.LocalDate;
import java.util.List;
import java.util.Optional;

/** Where invoices are kept. */
public interface InvoiceRepository {
    Optional<Invoice> findByNumber(String number);

    List<Invoice> findUnpaid(LocalDate dueBefore);

    void save(Invoice invoice);

    /** The next number of the year, without gaps: 2026-000417. */
    String nextNumber(int year);
}
