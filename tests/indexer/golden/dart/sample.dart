import 'dart:math';

const pages = 120;

typedef Turn = void Function(int page);

/// A book of stamps.
@immutable
abstract class Album<T> extends Book with Shelved {
  final String title;
  static int count = 0;

  Album(this.title) {
    count++;
  }

  Album.empty() : title = '';

  factory Album.of(String title) => throw UnimplementedError();

  int get size => pages;

  Future<void> paste(T stamp, {required int page}) async {
    if (page > pages) {
      throw RangeError('no such page');
    }
    await save(stamp, page);
  }
}

mixin Shelved {
  void shelve() => print('on the shelf');
}

enum Condition { mint, used }

extension Worth on Condition {
  double get factor => this == Condition.mint ? 1 : 0.4;
}

double value(List<Condition> stamps) {
  return stamps.map((stamp) => stamp.factor).fold(0, max);
}
