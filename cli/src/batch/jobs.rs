//! A list of jobs: the options of `radiodiff predict` by name, as CSV or JSON.
//!
//! A job's fields go through the same parser as the command line, so that every option can be a field and errors read alike.

use crate::predict;
use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{CommandFactory, FromArgMatches, Parser};
use radiodiff_radio::calibration::{LATITUDE, LONGITUDE};
use radiodiff_radio::delimited::DelimitedText;
use serde_json::Value;
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};

/// Between several values of a field in CSV.
const SEPARATOR: char = ';';
/// Fields that are no options of `predict`.
const OWN_FIELDS: [&str; 5] = ["id", "scene", "lng", "lat", "dbm"];
/// Before a line that is no job.
const COMMENT: char = '#';
/// Stands for the job's name in the names of files.
const ID: &str = "{id}";

/// `radiodiff predict` as a command of its own.
#[derive(Parser)]
#[command(name = "predict", no_binary_name = true)]
struct PredictCommand {
    #[command(flatten)]
    args: predict::Args,
}

/// Options of `predict` by their names without dashes in front; `scene` is the positional one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobFields {
    fields: BTreeMap<String, Vec<String>>,
}

/// One map that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchJob {
    /// Its field `id`, else its number in the list, from 1.
    pub id: String,
    fields: JobFields,
}

/// A field's name as options are called.
fn field_name(name: &str) -> String {
    let name = name.trim().replace('_', "-").to_lowercase();
    match name.as_str() {
        other if LONGITUDE.contains(&other) => "lng".into(),
        other if LATITUDE.contains(&other) => "lat".into(),
        "power" | "power-dbm" => "dbm".into(),
        _ => name,
    }
}

impl JobFields {
    /// From words like `--quantity snr --out=maps/{id}.tif`.
    ///
    /// # Errors
    /// A word where an option should be, and an option without a value.
    pub fn from_options(words: &[String]) -> Result<Self> {
        let mut found = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").with_context(|| format!("expected an option such as --quantity, found {word:?}"))?;
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (name, words.next().with_context(|| format!("--{name} has no value"))?.clone()),
            };
            found.add(name, value);
        }
        Ok(found)
    }

    fn add(&mut self, name: &str, value: String) {
        if !value.trim().is_empty() {
            self.fields.entry(field_name(name)).or_default().push(value);
        }
    }

    /// Takes a field that has one value.
    fn take_one(&mut self, name: &str) -> Result<Option<String>> {
        let Some(mut values) = self.fields.remove(name) else { return Ok(None) };
        ensure!(values.len() == 1, "{name} has {} values, expected one", values.len());
        Ok(values.pop())
    }

    /// `lng`, `lat` and perhaps `dbm` become a `tx`.
    fn join_transmitter(&mut self) -> Result<()> {
        let [lng, lat, dbm] = ["lng", "lat", "dbm"].map(|name| self.take_one(name));
        match (lng?, lat?, dbm?) {
            (None, None, None) => {}
            (Some(lng), Some(lat), dbm) => self.add("tx", format!("{lng},{lat}{}", dbm.map(|dbm| format!(",{dbm}")).unwrap_or_default())),
            _ => bail!("lng and lat go together, and dbm goes with them"),
        }
        Ok(())
    }
}

impl BatchJob {
    fn new(number: usize, mut fields: JobFields) -> Result<Self> {
        let id = fields.take_one("id")?.unwrap_or_else(|| number.to_string());
        fields.join_transmitter().with_context(|| format!("job {id}"))?;
        Ok(Self { id, fields })
    }

    /// The arguments of `predict` for this job: its own fields, and the defaults for those it lacks.
    ///
    /// # Errors
    /// A field that `predict` has no option for, and a value that the option does not take.
    pub fn args(&self, defaults: &JobFields) -> Result<predict::Args> {
        let mut fields = defaults.clone();
        fields.join_transmitter()?;
        fields.fields.extend(self.fields.fields.clone());
        let scene = fields.take_one("scene")?.context("it has no scene")?;
        let mut command = PredictCommand::command();
        let known: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        let mut words = Vec::new();
        for (name, values) in fields.fields {
            ensure!(known.contains(&name.as_str()), "--{name} is no option of predict, and no field of a job ({})", OWN_FIELDS.join(", "));
            words.extend(values.iter().map(|value| format!("--{name}={}", value.replace(ID, &self.id))));
        }
        words.extend([String::from("--"), scene.replace(ID, &self.id)]);
        match command.try_get_matches_from_mut(words).and_then(|matches| PredictCommand::from_arg_matches(&matches)) {
            Ok(command) => Ok(command.args),
            Err(error) => Err(anyhow!("{}", short(&error.to_string()))),
        }
    }
}

/// The command line parser's message, without its advice on usage.
fn short(message: &str) -> String {
    let sentences = message.lines().take_while(|line| !line.starts_with("Usage") && !line.starts_with("For more"));
    let text: Vec<&str> = sentences.map(str::trim).filter(|line| !line.is_empty()).collect();
    text.join(" ").trim_start_matches("error: ").to_owned()
}

/// Reads a list of jobs: JSON where it begins as JSON, else CSV.
///
/// # Errors
/// A text that is neither; a job that is no object; a list without a job.
pub fn read(text: &str) -> Result<Vec<BatchJob>> {
    let jobs = if text.trim_start().starts_with(['[', '{']) { from_json(text) } else { from_csv(text) }?;
    ensure!(!jobs.is_empty(), "there is no job in it");
    Ok(jobs)
}

fn from_csv(text: &str) -> Result<Vec<BatchJob>> {
    let table = DelimitedText::new(text, Some(COMMENT));
    let mut reader = table.reader();
    let names = reader.headers().map_err(|error| table.row_error(&error))?.clone();
    let numbers = number_fields();
    let job = |(i, record): (usize, csv::Result<csv::StringRecord>)| {
        let mut fields = JobFields::default();
        for (name, cell) in names.iter().zip(&record.map_err(|error| table.row_error(&error))?) {
            // JSON, an antenna's, may hold the separator.
            let is_json = serde_json::from_str::<Value>(cell).is_ok_and(|value| value.is_object());
            // Where semicolons or tabulators separate the columns, as spreadsheets save a list, a field has one value.
            let values = if is_json || table.separator != ',' { vec![cell] } else { cell.split(SEPARATOR).collect() };
            let is_number = numbers.contains(&field_name(name));
            let value = |text: &str| if is_number { table.decimal_point(text.trim()).into_owned() } else { text.trim().to_owned() };
            values.into_iter().for_each(|text| fields.add(name, value(text)));
        }
        BatchJob::new(i + 1, fields)
    };
    reader.records().enumerate().map(job).collect()
}

/// The fields that are one number, so that a comma in them is a decimal comma.
fn number_fields() -> BTreeSet<String> {
    let command = PredictCommand::command();
    let is_number = |arg: &&clap::Arg| arg.get_value_parser().type_id() == TypeId::of::<f64>() && arg.get_value_delimiter().is_none();
    let options = command.get_arguments().filter(is_number).filter_map(clap::Arg::get_long);
    ["lng", "lat", "dbm"].into_iter().chain(options).map(str::to_owned).collect()
}

/// An array of objects, or objects one after another.
fn from_json(text: &str) -> Result<Vec<BatchJob>> {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>().collect::<Result<Vec<Value>, _>>()?;
    if let [Value::Array(items)] = documents.as_mut_slice() {
        documents = std::mem::take(items);
    }
    let job = |(i, document): (usize, Value)| {
        let Value::Object(object) = document else { bail!("job {} is {document}, expected an object", i + 1) };
        let mut fields = JobFields::default();
        for (name, value) in object {
            let values = texts(value).with_context(|| format!("job {}: {name}", i + 1))?;
            values.into_iter().for_each(|value| fields.add(&name, value));
        }
        BatchJob::new(i + 1, fields)
    };
    documents.into_iter().enumerate().map(job).collect()
}

/// A JSON value as an option's values: numbers in an array are one value between commas, anything else in an array is a value each.
fn texts(value: Value) -> Result<Vec<String>> {
    Ok(match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text],
        Value::Number(number) => vec![number.to_string()],
        Value::Object(_) => vec![value.to_string()],
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_number) => {
            vec![items.iter().map(Value::to_string).collect::<Vec<_>>().join(",")]
        }
        Value::Array(items) => items.into_iter().map(texts).collect::<Result<Vec<_>>>()?.concat(),
        Value::Bool(found) => bail!("it is {found}, expected text, a number, an array or an object"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use radiodiff_planning::raster::PlanLayer;
    use std::path::Path;

    fn defaults(words: &[&str]) -> JobFields {
        JobFields::from_options(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn csv_and_json_say_the_same() {
        let csv = "id,scene,lng,lat,dbm,quantity,out\na,city.geojson,11.5,-48.1,30,snr,{id}.tif;{id}.csv\n# a comment\nb,city.geojson,11.6,48.1,,,{id}.png\n";
        let json = r#"[{"id": "a", "scene": "city.geojson", "tx": [11.5, -48.1, 30], "quantity": "snr", "out": ["{id}.tif", "{id}.csv"]},
                       {"id": "b", "scene": "city.geojson", "lng": 11.6, "lat": 48.1, "dbm": null, "out": "{id}.png"}]"#;
        let lines: String = serde_json::from_str::<Vec<Value>>(json).unwrap().iter().map(|job| format!("{job}\n")).collect();
        let found = read(csv).unwrap();
        let semicolons = "id;scene;tx;quantity;out\na;city.geojson;11.5,-48.1,30;snr;{id}.tif\n";
        let commas = "ID,Scene,tx,Quantity,out\na,city.geojson,\"11.5,-48.1,30\",snr,{id}.tif\n";
        assert_eq!(read(semicolons).unwrap(), read(commas).unwrap());
        assert_eq!(read(&semicolons.replace(';', "\t")).unwrap(), read(commas).unwrap());
        let spreadsheet =
            "\u{feff}sep=;\r\nid;scene;lng;lat;dbm;frequency_mhz;range;out\r\na;city.geojson;11,5;-48,1;30,5;3500,25;0,40;{id}.tif\r\n";
        let same = "id,scene,tx,frequency_mhz,range,out\na,city.geojson,\"11.5,-48.1,30.5\",3500.25,\"0,40\",{id}.tif\n";
        assert_eq!(read(spreadsheet).unwrap(), read(same).unwrap(), "decimal commas, and a pair of numbers");
        let words = "id,Scene,Longitude,Latitude,Power_dBm,out\na,city.geojson,11.5,-48.1,30,m.tif\n";
        assert_eq!(read(words).unwrap(), read("id,scene,tx,out\na,city.geojson,\"11.5,-48.1,30\",m.tif\n").unwrap());
        assert_eq!((&found, &found), (&read(json).unwrap(), &read(&lines).unwrap()));
        let args = found[0].args(&JobFields::default()).unwrap();
        assert_eq!((args.tx.len(), args.tx[0].power_dbm, args.quantity), (1, Some(30.0), PlanLayer::Snr.into()));
        assert_eq!(args.out.iter().map(|file| file.path.as_path()).collect::<Vec<_>>(), [Path::new("a.tif"), Path::new("a.csv")]);
        assert_eq!(found[1].args(&JobFields::default()).unwrap().tx[0].power_dbm, None);
    }

    #[test]
    fn a_jobs_fields_come_before_the_defaults() {
        let jobs = read("lng,lat,quantity,scene\n1,2,,\n3,4,sinr,other.osm\n").unwrap();
        let defaults = defaults(&["--scene", "city.geojson", "--quantity=snr", "--out", "maps/{id}.tif", "--noise_floor_dbm", "-100"]);
        let args: Vec<predict::Args> = jobs.iter().map(|job| job.args(&defaults).unwrap()).collect();
        assert_eq!((args[0].quantity, args[1].quantity), (PlanLayer::Snr.into(), PlanLayer::Sinr.into()));
        assert_eq!((args[0].scene.as_path(), args[1].scene.as_path()), (Path::new("city.geojson"), Path::new("other.osm")));
        assert_eq!((args[0].out[0].path.as_path(), args[1].out[0].path.as_path()), (Path::new("maps/1.tif"), Path::new("maps/2.tif")));
        assert_eq!(args[0].receiver.receiver().noise_floor_dbm, Some(-100.0));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| match read(text).and_then(|jobs| jobs[0].args(&JobFields::default())) {
            Ok(args) => panic!("{text} was taken: {args:?}"),
            Err(error) => format!("{error:#}"),
        };
        for (text, words) in [
            ("", "no job"),
            ("[]", "no job"),
            ("[1]", "job 1 is 1, expected an object"),
            ("{\"tx\": true}", "job 1: tx"),
            ("{\"scene\": ", "EOF"),
            ("# jobs\nscene,out\nx,m.tif,\n", "line 3: expected 2 fields, found 3"),
            ("scene,lng\nx,1\n", "lng and lat go together"),
            ("tx,out\n\"1,2\",m.tif\n", "it has no scene"),
            ("scene,tx\nx,\"1,2\"\n", "--out"),
            ("scene,tx,out\nx,\"1,2\",m.gif\n", "ends in .tif"),
            (
                "scene,tx,out,colour\nx,\"1,2\",m.tif,red\n",
                "--colour is no option of predict, and no field of a job (id, scene, lng, lat, dbm)",
            ),
            ("name,scene,tx,out\na,x,\"1,2\",m.tif\n", "--name is no option"),
            ("scene,tx,out,quantity\nx,\"1,2\",m.tif,loudness\n", "loudness"),
        ] {
            let said = error(text);
            assert!(said.contains(words) && !said.contains("Usage"), "{text:?} says {said:?}, expected {words:?}");
        }
        assert!(JobFields::from_options(&["out".to_owned()]).is_err() && JobFields::from_options(&["--out".to_owned()]).is_err());
    }
}
