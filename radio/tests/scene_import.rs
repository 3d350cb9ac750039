//! Scene import: files of every kind that people have, and what each must give.

mod village;

use flate2::Compression;
use flate2::write::GzEncoder;
use radiodiff_radio::scene::{Effect, FindingKind, ImportOptions, import, read_footprints};
use serde_json::{Value, json};
use std::io::Write as _;
use village::{HOUSE, built, collection, corner, degrees, feature, house, kinds, open, read, rectangle, village, with};

/// The village as OpenStreetMap XML, with more tags for house 5.
fn osm_xml(more_tags: &[(&str, &str)]) -> String {
    let mut text = String::from("<?xml version='1.0' encoding='UTF-8'?>\n<osm version=\"0.6\" generator=\"test\">\n");
    for index in 0..16 {
        for (at, corner) in house(index).as_array().expect("a ring")[..4].iter().enumerate() {
            text += &format!("  <node id='{}' lat='{}' lon='{}' visible='true'/>\n", 10 * index + at + 1, corner[1], corner[0]);
        }
    }
    for index in 0..16 {
        let refs: String = [1, 2, 3, 4, 1].iter().map(|at| format!("<nd ref='{}'/>", 10 * index + at)).collect();
        let more: String = more_tags.iter().filter(|_| index == 5).map(|(k, v)| format!("<tag k='{k}' v='{v}'/>")).collect();
        text += &format!("  <way id='{index}'>{refs}<tag k='building' v='yes'/>{more}</way>\n");
    }
    text + "</osm>\n"
}

#[test]
fn the_same_buildings_give_the_same_map_in_every_format() {
    let text = collection(&village()).to_string();
    let lines: Vec<String> = village().iter().map(Value::to_string).collect();
    let pretty = serde_json::to_string_pretty(&collection(&village())).expect("JSON");
    let polygons: Vec<Value> = (0..16).map(|index| json!([house(index)])).collect();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).expect("memory");
    let plain = open(&text).expect("the village");
    assert_eq!((built(&plain), plain.report.features, plain.report.buildings), (16 * HOUSE, 16, 16));
    assert_eq!((plain.report.format.as_str(), plain.report.findings.len()), ("GeoJSON", 0));
    for (kind, bytes) in [
        ("pretty", pretty.clone().into_bytes()),
        ("CRLF", pretty.replace('\n', "\r\n").into_bytes()),
        ("byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("UTF-16", [b"\xff\xfe", &utf16[..]].concat()),
        ("UTF-16 without a mark", utf16),
        ("gzip", packer.finish().expect("memory")),
        ("lines", lines.join("\n").into_bytes()),
        ("lines with commas", lines.join(",\r\n").into_bytes()),
        ("text sequence", lines.iter().map(|line| format!("\u{1e}{line}\n")).collect::<String>().into_bytes()),
        ("array", Value::from(village()).to_string().into_bytes()),
        (
            "collections in collections",
            json!([collection(&village()[..3]), collection(&[collection(&village()[3..])])]).to_string().into_bytes(),
        ),
        ("a MultiPolygon", json!({"type": "MultiPolygon", "coordinates": polygons}).to_string().into_bytes()),
        ("OpenStreetMap XML", osm_xml(&[]).into_bytes()),
    ] {
        let imported = import(&bytes, &ImportOptions::default()).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(imported.scene.mask, plain.scene.mask, "{kind}");
        assert_eq!(imported.scene.bounds, plain.scene.bounds, "{kind}");
        assert!(imported.report.findings.is_empty(), "{kind}: {:?}", imported.report.warnings());
    }
}

#[test]
fn one_odd_feature_never_costs_the_others() {
    let geometry = |geometry: Value| json!({"type": "Feature", "id": "odd", "properties": {"building": "yes"}, "geometry": geometry});
    let polygon = |coordinates: Value| geometry(json!({"type": "Polygon", "coordinates": coordinates}));
    let good = house(5);
    let with_corner = |corner: Value| {
        let mut ring = good.clone();
        ring[2] = corner;
        polygon(json!([ring]))
    };
    let mut nested = json!({"type": "Polygon", "coordinates": [good.clone()]});
    for _ in 0..200 {
        nested = json!({"type": "GeometryCollection", "geometries": [nested]});
    }
    for odd in [
        json!(null),
        json!(7),
        json!("house"),
        json!({}),
        json!({"type": "Feature"}),
        geometry(json!(null)),
        geometry(json!({})),
        geometry(json!([])),
        geometry(json!("POLYGON EMPTY")),
        geometry(json!({"coordinates": [good.clone()]})),
        geometry(json!({"type": null, "coordinates": [good.clone()]})),
        geometry(json!({"type": "Polygon"})),
        geometry(json!({"type": "CurvePolygon", "coordinates": [good.clone()]})),
        geometry(json!({"type": "LineString", "coordinates": good.clone()})),
        geometry(json!({"type": "MultiPolygon", "coordinates": [good.clone()]})),
        geometry(json!({"type": "MultiPolygon", "coordinates": [[]]})),
        geometry(json!({"type": "MultiPolygon", "coordinates": [[[]], null]})),
        geometry(json!({"type": "GeometryCollection", "geometries": []})),
        geometry(json!({"type": "GeometryCollection", "geometries": null})),
        geometry(nested),
        polygon(json!(null)),
        polygon(json!([])),
        polygon(json!([[]])),
        polygon(json!([null])),
        polygon(json!([[null]])),
        polygon(json!("none")),
        polygon(json!({})),
        polygon(good.clone()),
        polygon(json!([[good.clone()]])),
        with_corner(json!(null)),
        with_corner(json!([null, null])),
        with_corner(json!([24.94])),
        with_corner(json!([])),
        with_corner(json!(["east", "north"])),
        with_corner(json!(["", ""])),
        with_corner(json!(["NaN", "NaN"])),
        with_corner(json!([true, false])),
        with_corner(json!({"lon": 24.94, "lat": 60.17})),
        with_corner(json!([500, 100])),
        with_corner(json!([2_779_000.0, 8_437_000.0])),
        polygon(json!([[degrees(0.0, 0.0), degrees(9.0, 0.0), degrees(0.0, 0.0)]])),
        polygon(json!([[degrees(0.0, 0.0), degrees(4.0, 0.0), degrees(9.0, 0.0), degrees(0.0, 0.0)]])),
    ] {
        let imported = read(&with(odd.clone()));
        let warnings = imported.report.warnings();
        assert_eq!(built(&imported), 15 * HOUSE, "{odd}: {warnings:?}");
        assert_eq!(warnings.len(), 1, "{odd}: {warnings:?}");
        assert!(warnings[0].starts_with("feature 5 "), "{odd}: {warnings:?}");
        assert_eq!(imported.report.findings[0].kind.effect(), Effect::LeftOut, "{odd}");
        let lines: Vec<String> = village().iter().enumerate().map(|(i, sound)| if i == 5 { &odd } else { sound }.to_string()).collect();
        assert_eq!(open(&lines.join("\n")).expect("lines").scene.mask, imported.scene.mask, "{odd} on a line");
    }
    // Numbers that JSON does not know, and one that no float holds.
    for broken in ["NaN", "-Infinity", "1e400"] {
        let text = with(with_corner(json!([12345, 6]))).to_string().replace("12345", broken);
        let imported = open(&text).unwrap_or_else(|error| panic!("{broken}: {error}"));
        assert_eq!(built(&imported), 15 * HOUSE, "{broken}");
        assert!(imported.report.warnings().iter().any(|warning| warning.starts_with("feature 5 ")), "{broken}");
    }
}

#[test]
fn what_drawing_does_not_need_may_be_anything() {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut odd = feature(5);
        change(&mut odd);
        with(odd)
    };
    let documents = [json!([]), json!("[]"), json!(null), json!(3)].map(|properties| changed(&|f| f["properties"] = properties.clone()));
    let ids = [json!(null), json!(true), json!(1.5), json!({"$oid": "64b0"}), json!([1])].map(|id| changed(&|f| f["id"] = id.clone()));
    let boxes = [json!(["10", "50"]), json!(null), json!({})].map(|bbox| changed(&|f| f["bbox"] = bbox.clone()));
    let holes = [json!([]), json!(null)].map(|hole| changed(&|f| f["geometry"]["coordinates"] = json!([house(5), hole])));
    let parts = [json!([]), json!([[]]), json!(null)]
        .map(|part| changed(&|f| f["geometry"] = json!({"type": "MultiPolygon", "coordinates": [part, [house(5)]]})));
    let heights = [json!(null), json!("high"), json!(3.5)].map(|z| {
        changed(&|f| {
            f["geometry"]["coordinates"][0]
                .as_array_mut()
                .expect("a ring")
                .iter_mut()
                .for_each(|at| at.as_array_mut().expect("a position").push(z.clone()))
        })
    });
    let mut titled = collection(&village());
    titled["type"] = json!("featurecollection");
    titled["bbox"] = json!("none");
    for document in documents.iter().chain(&ids).chain(&boxes).chain(&holes).chain(&parts).chain(&heights).chain([&titled]) {
        let imported = read(document);
        assert_eq!(built(&imported), 16 * HOUSE, "{document}");
        assert!(imported.report.findings.is_empty(), "{document}: {:?}", imported.report.warnings());
    }
}

#[test]
fn what_is_understood_is_drawn_with_a_word_about_it() {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut odd = feature(5);
        change(&mut odd);
        with(odd)
    };
    let as_text = changed(&|f| {
        for position in f["geometry"]["coordinates"][0].as_array_mut().expect("a ring") {
            *position = json!([position[0].to_string(), format!(" {} ", position[1])]);
        }
    });
    let unclosed = changed(&|f| drop(f["geometry"]["coordinates"][0].as_array_mut().expect("a ring").pop()));
    let lower = changed(&|f| f["geometry"]["type"] = json!("polygon"));
    let untyped = changed(&|f| drop(f.as_object_mut().expect("a feature").remove("type")));
    for (document, kind, effect) in [
        (as_text, FindingKind::TextNumbers, Effect::Assumed),
        (unclosed, FindingKind::Unclosed, Effect::Repaired),
        (lower, FindingKind::TypeAssumed, Effect::Assumed),
        (untyped, FindingKind::TypeAssumed, Effect::Assumed),
    ] {
        let imported = read(&document);
        assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE, vec![kind]), "{document}");
        assert_eq!(imported.report.findings[0].kind.effect(), effect);
        assert!(imported.report.warnings()[0].starts_with("feature 5 "));
    }
    let loose = collection(&village()).to_string().replace("]}", "],}").replace("}]", "},]");
    let imported = open(&loose).expect("commas too many");
    assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE, vec![FindingKind::LooseJson]));
}

#[test]
fn a_bad_hole_or_part_costs_only_itself() {
    let (x, y) = corner(5);
    let hole = rectangle(x + 2.0, y + 2.0, 4.0, 4.0);
    let bad = json!([[null, null]]);
    let courtyard = |holes: &[Value]| {
        let rings: Vec<Value> = [house(5)].iter().chain(holes).cloned().collect();
        with(json!({"type": "Feature", "properties": {"name": "Hof"}, "geometry": {"type": "Polygon", "coordinates": rings}}))
    };
    assert_eq!(built(&read(&courtyard(std::slice::from_ref(&hole)))), 16 * HOUSE - 16);
    let imported = read(&courtyard(&[bad[0].clone(), hole]));
    assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE - 16, vec![FindingKind::HoleLeftOut]));
    // A corner that slipped by tens of degrees: with it, outlines and holes would be united on a continent's scale.
    let mut slipped = rectangle(x + 2.0, y + 2.0, 4.0, 4.0);
    slipped[1] = json!([61.0, 50.0]);
    let imported = read(&courtyard(std::slice::from_ref(&slipped)));
    assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE, vec![FindingKind::HoleLeftOut]));
    assert!(imported.report.warnings()[0].contains("61.0000"), "{:?}", imported.report.warnings());
    let slipped = json!({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [slipped]}});
    let imported = read(&with(slipped));
    assert_eq!((built(&imported), kinds(&imported)), (15 * HOUSE, vec![FindingKind::TooLarge]));
    let parts = json!({"type": "MultiPolygon", "coordinates": [[[[1, 2], [null, 3], [4, 5]]], [house(5)]]});
    let imported = read(&with(json!({"type": "Feature", "properties": {}, "geometry": parts})));
    assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE, vec![FindingKind::BadCoordinates]));
}

#[test]
fn the_rule_of_what_a_building_is_holds_in_every_format() {
    let houses_with = |tags: &[(&str, &str)]| {
        let mut odd = feature(5);
        tags.iter().for_each(|(key, value)| odd["properties"][*key] = json!(value));
        let imported = [read(&with(odd)), open(&osm_xml(tags)).expect("OpenStreetMap XML")];
        let [geojson, xml] = imported.map(|imported| (built(&imported) / HOUSE, kinds(&imported)));
        assert_eq!(geojson, xml, "{tags:?}");
        geojson
    };
    assert_eq!(houses_with(&[("layer", "1")]), (16, vec![]));
    assert_eq!(houses_with(&[("amenity", "school")]), (16, vec![]));
    assert_eq!(houses_with(&[("location", "underground")]), (15, vec![FindingKind::Underground]));
    assert_eq!(houses_with(&[("layer", "-1")]), (15, vec![FindingKind::Underground]));
    assert_eq!(houses_with(&[("level", "-2")]), (15, vec![FindingKind::Underground]));
    // A number, where OpenStreetMap has text; and the areas that an export has beside the buildings.
    let area = rectangle(-100.0, -100.0, 200.0, 200.0);
    for (properties, kind) in [
        (json!({"building": "yes", "layer": -1}), FindingKind::Underground),
        (json!({"building": "no"}), FindingKind::NotStanding),
        (json!({"building": false}), FindingKind::NotStanding),
        (json!({"building": "roof"}), FindingKind::Open),
        (json!({"landuse": "residential"}), FindingKind::NotABuilding),
        (json!({"leisure": "park", "name": "Stadtpark"}), FindingKind::NotABuilding),
        (json!({"highway": "pedestrian", "area": "yes"}), FindingKind::NotABuilding),
        (json!({"tags": {"natural": "water"}}), FindingKind::NotABuilding),
        (json!({"other_tags": "\"boundary\"=>\"administrative\""}), FindingKind::NotABuilding),
    ] {
        let mut features = village();
        features.push(
            json!({"type": "Feature", "id": "way/9", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [area]}}),
        );
        let imported = read(&collection(&features));
        assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE, vec![kind]), "{properties}");
        assert!(imported.report.warnings()[0].contains("way/9"), "{:?}", imported.report.warnings());
    }
    // An area as wide as no building, though nothing says what it is.
    let mut features = village();
    features.push(json!({"type": "Polygon", "coordinates": [rectangle(-9e3, -9e3, 18e3, 18e3)]}));
    assert_eq!(kinds(&read(&collection(&features))), [FindingKind::TooLarge]);
}

#[test]
fn many_of_a_kind_are_counted() {
    let mut features = village();
    features.extend((0..312).map(|_| json!({"type": "Feature", "properties": {}, "geometry": null})));
    let warnings = read(&collection(&features)).report.warnings();
    assert_eq!(warnings, ["312 features have no geometry and are not used: features 16, 17, 18 and 309 more"]);
}

#[test]
fn openstreetmap_xml_has_courtyards_deleted_ways_and_cut_ones() {
    let nodes = |ring: &Value, first: usize| -> String {
        let corners = ring.as_array().expect("a ring");
        corners[..4].iter().enumerate().map(|(i, at)| format!("<node id='{}' lon='{}' lat='{}'/>", first + i, at[0], at[1])).collect()
    };
    let way = |id: usize, nodes: &[usize], tags: &str| {
        let refs: String = nodes.iter().map(|node| format!("<nd ref='{node}'/>")).collect();
        format!("<way id='{id}'>{refs}{tags}</way>")
    };
    let building = "<tag k='building' v='yes'/><tag k='building:levels' v='5'/><tag k='name' v='Caf&#233; &amp; Bar'/>";
    let text = [
        "<osm version='0.6'>".into(),
        nodes(&rectangle(0.0, 0.0, 40.0, 40.0), 1),
        nodes(&rectangle(10.0, 10.0, 20.0, 20.0), 11),
        nodes(&rectangle(-60.0, 0.0, 10.0, 10.0), 21),
        way(1, &[1, 2, 3], ""),
        way(2, &[1, 4, 3], ""),
        way(3, &[11, 12, 13, 14, 11], ""),
        way(4, &[1, 2, 99, 1], building),
        way(5, &[21, 22, 23, 24, 21], building).replace("<way ", "<way action='delete' "),
        way(6, &[1, 2, 3, 4, 1], "<tag k='highway' v='pedestrian'/>"),
        format!("<relation id='7'><member type='way' ref='1' role='outer'/><member type='way' ref='2' role='outer'/><member type='way' ref='3' role='inner'/><member type='node' ref='1' role='entrance'/><tag k='type' v='multipolygon'/>{building}</relation>"),
        "</osm>".into(),
    ]
    .concat();
    let imported = open(&text).expect("a building");
    assert_eq!(built(&imported), 40 * 40 - 20 * 20);
    assert_eq!((imported.scene.buildings.len(), imported.scene.buildings[0].levels), (1, Some(5.0)));
    assert_eq!(imported.report.warnings().len(), 1, "{:?}", imported.report.warnings());
    assert!(imported.report.warnings()[0].starts_with("way/4 (Café & Bar) is cut off"), "{:?}", imported.report.warnings());
    let cut = &text[..text.len() - 20];
    let error = open(cut).expect_err("a cut file").to_string();
    assert!(error.contains("OpenStreetMap XML cannot be read") && error.contains("line 1"), "{error}");
}

#[test]
fn what_overpass_did_not_give_is_told() {
    let remark = "  <remark> runtime error: Query timed out in \"query\" at line 3 after 25 seconds. </remark>\n</osm>";
    let imported = open(&osm_xml(&[]).replace("</osm>", remark)).expect("what it had");
    assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE, vec![FindingKind::Cut]));
    let warning = &imported.report.warnings()[0];
    assert!(warning.contains("did not give all buildings: runtime error: Query timed out"), "{warning}");
    let none = format!("<osm version=\"0.6\"><note>data</note>{remark}");
    let error = open(&none).expect_err("nothing").to_string();
    assert!(error.contains("Query timed out"), "{error}");
}

#[test]
fn what_is_no_map_data_is_named() {
    for (bytes, words) in [
        (&b"PK\x03\x04...."[..], "ZIP"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"<html><body>404</body></html>", "web page"),
        (b"<kml><Document/></kml>", "KML"),
        (b"<osmChange version='0.6'/>", "changes"),
        (br#"{"type": "Topology", "arcs": [], "objects": {}}"#, "TopoJSON"),
        (br#"{"version": 0.6, "elements": []}"#, "Overpass JSON"),
        (b"POLYGON((0 0, 1 0, 1 1, 0 0))", "WKT"),
        (b"id,wkt\n1,2\n", "cannot be read"),
        (b"{\"type\": \"FeatureCollection\", \"features\": [\n{\"type\":", "line 2"),
        (b"", "cannot be read"),
        (b"   \n", "cannot be read"),
        (br#"{"type": "FeatureCollection", "features": []}"#, "no usable building"),
        (b"<osm version='0.6'/>", "no usable building"),
    ] {
        let error = import(bytes, &ImportOptions::default()).expect_err("no buildings").to_string();
        assert!(error.contains(words), "{error}");
        assert!(read_footprints(bytes).is_err());
    }
    // An extract in protocol buffers is read with the feature `osm` and named without it.
    let blob = b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x00";
    let error = import(blob, &ImportOptions::default()).expect_err("an empty extract").to_string();
    assert!(error.contains("PBF"), "{error}");
}

#[test]
fn a_system_that_the_coordinates_are_not_in_is_told() {
    for (crs, name) in [
        (json!({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}), "EPSG::3857"),
        (json!({"type": "EPSG", "properties": {"code": 25832}}), "EPSG:25832"),
        (json!({"type": "EPSG", "properties": {"code": "31468"}}), "EPSG:31468"),
    ] {
        let mut file = collection(&village());
        file["crs"] = crs;
        let imported = read(&file);
        assert_eq!((built(&imported), kinds(&imported)), (16 * HOUSE, vec![FindingKind::Placed]));
        assert!(imported.report.warnings()[0].contains(name), "{:?}", imported.report.warnings());
    }
    for crs in [json!(null), json!("EPSG:4326"), json!({"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}})] {
        let mut file = collection(&village());
        file["crs"] = crs.clone();
        assert_eq!(kinds(&read(&file)), [], "{crs}");
    }
}

#[test]
fn coordinates_in_another_system_are_named() {
    let mut document = json!({"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}, "features": []});
    document["features"] = json!([{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon",
        "coordinates": [[[691_000.0, 5_334_000.0], [691_010.0, 5_334_000.0], [691_010.0, 5_334_010.0], [691_000.0, 5_334_000.0]]]}}]);
    let error = open(&document.to_string()).expect_err("no degrees").to_string();
    assert!(error.contains("EPSG::25832") && error.contains("EPSG:4326"), "{error}");
}

#[test]
fn heights_are_read_alike_in_every_format() {
    for (text, height_m) in [("12", Some(12.0)), ("12.5 m", Some(12.5)), ("3;4", Some(3.0)), ("40'", None), ("high", None)] {
        let mut odd = feature(5);
        odd["properties"]["height"] = json!(text);
        let xml = osm_xml(&[("height", &text.replace('\'', "&apos;"))]);
        for imported in [read(&with(odd)), open(&xml).expect("OpenStreetMap XML")] {
            assert_eq!(imported.scene.buildings[5].height_m, height_m, "{text}");
        }
    }
}

#[test]
fn odd_heights_and_materials_of_a_file_are_told_together() {
    let mut features = village();
    for (feature, height) in
        features.iter_mut().zip([json!("12 m"), json!("3;4"), json!(null), json!(-5), json!("10 km"), json!("3;4"), json!(10_000)])
    {
        feature["properties"]["height"] = height;
    }
    for (feature, material) in features.iter_mut().zip(["brick", "plaster", "plaster", "brick;glass", "Wood"]) {
        feature["properties"]["building:material"] = json!(material);
    }
    let imported = read(&collection(&features));
    let height = |i: usize| imported.scene.buildings[i].height_m;
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(height), [Some(12.0), Some(3.0), None, None, None, Some(3.0), None]);
    assert_eq!(
        imported.report.warnings(),
        [
            "5 features have heights that are no plain numbers of metres: feature 1: height is \"3;4\", read as 3; feature 3: height is \"-5\", \
             not used; feature 4: height is \"10 km\", not used; feature 6: height is \"10000\", not used; and 1 other",
        ]
    );
    let materials = "3 features have walls of materials that are not known, and count as without one: feature 1: \"plaster\"; feature 3: \
                     \"brick;glass\"; and 1 other";
    assert_eq!(imported.report.unknown_materials().as_deref(), Some(materials));
    let one = read(&collection(&features[..2]));
    let material = "feature 1 has walls of a material that is not known, and counts as without one: \"plaster\"";
    assert_eq!(one.report.unknown_materials().as_deref(), Some(material));
}

/// Damaged in any place, a file is answered, never panicked on.
#[test]
fn damaged_files_never_panic() {
    let text = collection(&village()[..2]).to_string();
    let lines = format!("{}\n{}\n", feature(0), feature(1));
    for good in [text, lines, osm_xml(&[("layer", "1")])] {
        for cut in (0..good.len()).step_by(7) {
            let _ = open(&good[..cut]);
        }
        for position in (0..good.len()).step_by(5) {
            for replacement in [b'9', b'[', b'"', b'<', b'\n', 0, 0xff] {
                let mut bytes = good.clone().into_bytes();
                bytes[position] = replacement;
                let _ = import(&bytes, &ImportOptions::default());
            }
        }
    }
}
