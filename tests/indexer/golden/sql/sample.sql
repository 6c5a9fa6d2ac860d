-- Bookings of a small hotel.
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    beds INTEGER DEFAULT 2
);

CREATE TABLE IF NOT EXISTS hotel.bookings (
    id INTEGER PRIMARY KEY,
    room_id INTEGER REFERENCES rooms (id),
    arrives DATE NOT NULL,
    leaves DATE NOT NULL
);

CREATE UNIQUE INDEX bookings_by_room ON hotel.bookings (room_id, arrives);

CREATE VIEW free_rooms AS
SELECT rooms.*
FROM rooms
LEFT JOIN hotel.bookings ON bookings.room_id = rooms.id
WHERE bookings.id IS NULL;

-- Nights of one booking.
CREATE FUNCTION nights(booking INTEGER) RETURNS INTEGER AS $$
    SELECT leaves - arrives FROM hotel.bookings WHERE id = booking;
$$ LANGUAGE SQL;

INSERT INTO rooms (id, name) VALUES (1, 'garden'), (2, 'street');
