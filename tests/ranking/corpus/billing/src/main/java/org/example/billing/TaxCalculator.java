package org.example.billing;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;

/** Value added tax by country; a business with a tax number in another country pays it there (reverse charge). */
public final class TaxCalculator {
    private static final Map<String, BigDecimal> RATES = Map.of(
        "DE", new BigDecimal("0.19"), "FR", new BigDecimal("0.20"), "AT", new BigDecimal("0.20"));

    private final String homeCountry;

    public TaxCalculator(String homeCountry) {
        this.homeCountry = homeCountry;
    }

    /** The tax on a net amount, rounded half up to cents. */
    public BigDecimal tax(BigDecimal net, String country, String taxNumber) {
        if (isReverseCharge(country, taxNumber)) {
            return BigDecimal.ZERO;
        }
        var rate = RATES.get(country);
        if (rate == null) {
            throw new IllegalArgumentException("no tax rate is known for " + country);
        }
        return net.multiply(rate).setScale(2, RoundingMode.HALF_UP);
    }

    private boolean isReverseCharge(String country, String taxNumber) {
        return !country.equals(homeCountry) && taxNumber != null && !taxNumber.isBlank();
    }
}
