#include <cmath>
#include <vector>

namespace harbour {

struct Load {
    double tonnes;
    double arm_m;
};

/// Tipping moment of everything that hangs on the boom, in tonne metres.
double tipping_moment(const std::vector<Load>& loads) {
    double sum = 0;
    for (const auto& load : loads) {
        sum += load.tonnes * load.arm_m;
    }
    return sum;
}

}  // namespace harbour
