//! Tiles on a floor.
const std = @import("std");

pub const max_tiles: usize = 64;

/// A floor of tiles.
pub const Floor = struct {
    width: u32,
    tiles: std.ArrayList(Tile),

    pub fn init(allocator: std.mem.Allocator, width: u32) Floor {
        return .{ .width = width, .tiles = std.ArrayList(Tile).init(allocator) };
    }

    /// Lays one tile.
    pub fn lay(self: *Floor, tile: Tile) !void {
        if (self.tiles.items.len >= max_tiles) return error.Full;
        try self.tiles.append(tile);
    }
};

const Tile = enum { black, white };

const Shape = union(enum) {
    square: f32,
    circle: f32,
};

fn area(floor: Floor) u32 {
    var sum: u32 = 0;
    for (floor.tiles.items) |_| sum += floor.width;
    return sum;
}

test "an empty floor has no area" {
    var floor = Floor.init(std.testing.allocator, 4);
    try std.testing.expectEqual(@as(u32, 0), area(floor));
}
