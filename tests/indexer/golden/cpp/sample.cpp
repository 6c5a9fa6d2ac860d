#pragma once
#include <string>
#include <vector>

namespace orchard::fruit {

using Names = std::vector<std::string>;

constexpr int kBaskets = 7;

/// One tree of the orchard.
template <typename Fruit>
class Tree : public Plant {
 public:
  explicit Tree(std::string name) : name_(std::move(name)) {}
  ~Tree() override = default;

  int count() const { return static_cast<int>(fruits_.size()); }

  Tree& operator+=(const Fruit& fruit) {
    fruits_.push_back(fruit);
    return *this;
  }

 private:
  std::string name_;
  std::vector<Fruit> fruits_;
};

enum class Colour { Red, Green };

struct Apple {
  Colour colour;
};

template <typename T>
auto pick(Tree<T>& tree) -> T {
  if (tree.count() == 0) throw std::out_of_range("nothing left to pick");
  return tree.take();
}

}  // namespace orchard::fruit

void orchard::fruit::Apple::ripen(int days) {
  for (int day = 0; day < days; ++day) {
    colour = Colour::Red;
  }
}

int main(int argc, char** argv) {
  orchard::fruit::Tree<int> tree("boskop");
  return tree.count();
}
