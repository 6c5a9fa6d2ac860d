package org.example.billing;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;

/** What a customer owes, and until when. */
public record Invoice(String number, String customerId, LocalDate due, List<Line> lines, Status status) {

    public enum Status { DRAFT, SENT, PAID, OVERDUE, CANCELLED }

    public record Line(String description, int quantity, BigDecimal unitPrice) {
        public BigDecimal amount() {
            return unitPrice.multiply(BigDecimal.valueOf(quantity));
        }
    }

    /** The sum of all lines without tax. */
    public BigDecimal net() {
        return lines.stream().map(Line::amount).reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    public boolean isOverdue(LocalDate today) {
        return status == Status.SENT && due.isBefore(today);
    }

    public Invoice withStatus(Status changed) {
        return new Invoice(number, customerId, due, lines, changed);
    }
}
