package org.example.billing;

import java.time.Clock;
import java.time.LocalDate;
import java.util.List;

/** What can be done with invoices. */
public final class InvoiceService {
    private static final int PAYMENT_DAYS = 14;

    private final InvoiceRepository repository;
    private final DunningMailer mailer;
    private final Clock clock;

    public InvoiceService(InvoiceRepository repository, DunningMailer mailer, Clock clock) {
        this.repository = repository;
        this.mailer = mailer;
        this.clock = clock;
    }

    /** Writes an invoice, due in two weeks. */
    public Invoice issue(String customerId, List<Invoice.Line> lines) {
        if (lines.isEmpty()) {
            throw new IllegalArgumentException("an invoice for " + customerId + " has no lines");
        }
        var today = LocalDate.now(clock);
        var number = repository.nextNumber(today.getYear());
        var invoice = new Invoice(number, customerId, today.plusDays(PAYMENT_DAYS), lines, Invoice.Status.SENT);
        repository.save(invoice);
        return invoice;
    }

    public void recordPayment(String number) {
        var invoice = repository.findByNumber(number)
            .orElseThrow(() -> new IllegalStateException("there is no invoice " + number));
        if (invoice.status() == Invoice.Status.CANCELLED) {
            throw new IllegalStateException("invoice " + number + " was cancelled and cannot be paid");
        }
        repository.save(invoice.withStatus(Invoice.Status.PAID));
    }

    /** Marks what is late and reminds the customers; run once a day. */
    public int remindOverdue() {
        var today = LocalDate.now(clock);
        var late = repository.findUnpaid(today);
        for (Invoice invoice : late) {
            repository.save(invoice.withStatus(Invoice.Status.OVERDUE));
            mailer.sendReminder(invoice);
        }
        return late.size();
    }

    /** Sends reminders. */
    public interface DunningMailer {
        void sendReminder(Invoice invoice);
    }
}
