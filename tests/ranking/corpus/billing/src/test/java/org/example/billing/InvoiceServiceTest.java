package org.example.billing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;

class InvoiceServiceTest {
    private final FakeRepository repository = new FakeRepository();
    private final InvoiceService service = new InvoiceService(repository, invoice -> {}, Clock.systemUTC());

    @Test
    void anInvoiceWithoutLinesIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> service.issue("ada", List.of()));
    }

    @Test
    void overdueInvoicesAreMarkedAndTheirCustomersReminded() {
        repository.addSent("2026-000001");
        assertEquals(1, service.remindOverdue());
        assertEquals(Invoice.Status.OVERDUE, repository.findByNumber("2026-000001").orElseThrow().status());
    }
}
