//! A small OpenStreetMap extract, encoded by hand (the format's wiki page "PBF Format"): the reader is tested on bytes, not on
//! itself.

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn zigzag(value: i64) -> Vec<u8> {
    varint(((value << 1) ^ (value >> 63)) as u64)
}

/// A field of wire type 0.
fn number(field: u64, value: Vec<u8>) -> Vec<u8> {
    [varint(field << 3), value].concat()
}

/// A field of wire type 2.
fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// A file block: its header's length, the header, the blob.
fn block(kind: &str, content: &[u8]) -> Vec<u8> {
    let blob = bytes(1, content);
    let header = [bytes(1, kind.as_bytes()), number(3, varint(blob.len() as u64))].concat();
    [(header.len() as u32).to_be_bytes().to_vec(), header, blob].concat()
}

/// A town of 225 square houses 20 m wide, 40 m from each other, at 50 degrees north.
pub fn town() -> Vec<u8> {
    let (mut nodes, mut ways) = (Vec::new(), Vec::new());
    for house in 0..225_i64 {
        let (x, y) = ((house % 15) as f64 * 40.0, (house / 15) as f64 * 40.0);
        for (corner, (dx, dy)) in [(0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0)].into_iter().enumerate() {
            // In the default granularity of 100 nanodegrees.
            let degrees = |origin: f64, metres: f64, per_degree: f64| ((origin + metres / per_degree) * 1e7).round() as i64;
            let (lat, lon) = (degrees(50.0, y + dy, 111_229.0), degrees(11.0, x + dx, 71_696.0));
            let id = 4 * house + corner as i64 + 1;
            nodes.extend(bytes(1, &[number(1, zigzag(id)), number(8, zigzag(lat)), number(9, zigzag(lon))].concat()));
        }
        // References are differences; the ring closes at its first corner.
        let references: Vec<u8> = [4 * house + 1, 1, 1, 1, -3].into_iter().flat_map(zigzag).collect();
        let way = [number(1, varint(house as u64 + 1)), bytes(2, &[1]), bytes(3, &[2]), bytes(8, &references)].concat();
        ways.extend(bytes(3, &way));
    }
    let strings: Vec<u8> = ["", "building", "yes"].iter().flat_map(|text| bytes(1, text.as_bytes())).collect();
    let primitives = [bytes(1, &strings), bytes(2, &nodes), bytes(2, &ways)].concat();
    let header = [bytes(4, b"OsmSchema-V0.6")].concat();
    [block("OSMHeader", &header), block("OSMData", &primitives)].concat()
}
