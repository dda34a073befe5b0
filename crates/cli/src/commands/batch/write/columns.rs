//! Rows as a Parquet file with one group.

use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde_json::Value;
use trireme_domain::wire::{Encoding, Vector};

use crate::commands::batch::plan::Plan;
use crate::commands::batch::said::{Added, Said};
use crate::table::{self, Column, Kind, Row};

/// How the files are written.
pub fn properties() -> WriterProperties {
    let ours = concat!("trireme ", env!("CARGO_PKG_VERSION"));
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    properties.set_created_by(ours.to_owned()).build()
}

/// A file with these rows.
pub fn groups(plan: &Plan, rows: &[(Row, Said)]) -> Result<Vec<u8>> {
    let schema = Type::group_type_builder("schema").with_fields(fields(plan)?).build()?;
    let mut bytes = Vec::new();
    let properties = numbers_as_they_are(plan);
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), properties)?;
    if !rows.is_empty() {
        let mut group = writer.next_row_group()?;
        for leaf in leaves(plan) {
            let none = || ParquetError::General("a column has no place".to_owned());
            let mut column = group.next_column()?.ok_or_else(none)?;
            leaf.write(rows, &mut column)?;
            column.close()?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(bytes)
}

/// No two numbers of vectors are alike, so a dictionary of them is for nothing.
fn numbers_as_they_are(plan: &Plan) -> WriterPropertiesPtr {
    let path = [plan.names.embedding.as_str(), "list", "element"].map(str::to_owned);
    let properties = properties().into_builder();
    Arc::new(
        properties.set_column_dictionary_enabled(ColumnPath::new(path.to_vec()), false).build(),
    )
}

/// The schema's fields, in order.
fn fields(plan: &Plan) -> Result<Vec<TypePtr>> {
    let names = &plan.names;
    let mut fields = plan.files.carried.iter().map(carried).collect::<Result<Vec<TypePtr>>>()?;
    match &plan.added {
        Added::Vector(encoding) => fields.push(list(&names.embedding, *encoding)?),
        Added::Classes { scored } => {
            fields.push(required(&names.prediction, Physical::INT32, ConvertedType::NONE)?);
            fields.push(required(&names.label, Physical::BYTE_ARRAY, ConvertedType::UTF8)?);
            fields.push(required(&names.confidence, Physical::FLOAT, ConvertedType::NONE)?);
            if !scored.is_empty() {
                let float = |label: &String| required(label, Physical::FLOAT, ConvertedType::NONE);
                let scores = scored.iter().map(float).collect::<Result<Vec<_>>>()?;
                let group = Type::group_type_builder(&names.probabilities);
                let group = group.with_repetition(Repetition::REQUIRED).with_fields(scores);
                fields.push(Arc::new(group.build()?));
            }
        }
    }
    Ok(fields)
}

fn carried(column: &Column) -> Result<TypePtr> {
    let (physical, converted) = match column.kind {
        Kind::Truth => (Physical::BOOLEAN, ConvertedType::NONE),
        Kind::Whole => (Physical::INT64, ConvertedType::NONE),
        Kind::Real => (Physical::DOUBLE, ConvertedType::NONE),
        Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
    };
    field(&column.name, physical, converted, Repetition::OPTIONAL)
}

fn required(name: &str, physical: Physical, converted: ConvertedType) -> Result<TypePtr> {
    field(name, physical, converted, Repetition::REQUIRED)
}

fn field(
    name: &str,
    physical: Physical,
    converted: ConvertedType,
    repetition: Repetition,
) -> Result<TypePtr> {
    let field = Type::primitive_type_builder(name, physical).with_converted_type(converted);
    Ok(Arc::new(field.with_repetition(repetition).build()?))
}

/// A list, in the three levels that every reader knows.
fn list(name: &str, encoding: Encoding) -> Result<TypePtr> {
    let (physical, converted) = match encoding {
        Encoding::Float => (Physical::FLOAT, ConvertedType::NONE),
        Encoding::Int8 | Encoding::Binary => (Physical::INT32, ConvertedType::INT_8),
        Encoding::Ubinary => (Physical::INT32, ConvertedType::UINT_8),
    };
    let element = required("element", physical, converted)?;
    let repeated = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
    let repeated = Arc::new(repeated.with_fields(vec![element]).build()?);
    let list = Type::group_type_builder(name).with_repetition(Repetition::REQUIRED);
    let list = list.with_converted_type(ConvertedType::LIST).with_fields(vec![repeated]);
    Ok(Arc::new(list.build()?))
}

/// What is written as a column of its own.
enum Leaf<'a> {
    Carried(&'a Column),
    Prediction,
    Label,
    Confidence,
    Score(usize),
    Embedding,
}

/// The columns of [`fields`], in order.
fn leaves(plan: &Plan) -> Vec<Leaf<'_>> {
    let mut leaves: Vec<Leaf<'_>> = plan.files.carried.iter().map(Leaf::Carried).collect();
    match &plan.added {
        Added::Vector(_) => leaves.push(Leaf::Embedding),
        Added::Classes { scored } => {
            leaves.extend([Leaf::Prediction, Leaf::Label, Leaf::Confidence]);
            leaves.extend((0..scored.len()).map(Leaf::Score));
        }
    }
    leaves
}

type Writer<'a> = SerializedColumnWriter<'a>;

impl Leaf<'_> {
    fn write(&self, rows: &[(Row, Said)], column: &mut Writer<'_>) -> Result<()> {
        match self {
            Self::Carried(of) => write_carried(of, rows, column),
            Self::Prediction => all::<Int32Type>(column, rows, |said| match said {
                Said::Class { prediction, .. } => i32::try_from(*prediction).ok(),
                Said::Vector(_) => None,
            }),
            Self::Label => all::<ByteArrayType>(column, rows, |said| match said {
                Said::Class { label, .. } => Some(ByteArray::from(label.as_str())),
                Said::Vector(_) => None,
            }),
            Self::Confidence => all::<FloatType>(column, rows, |said| match said {
                Said::Class { confidence, .. } => Some(*confidence),
                Said::Vector(_) => None,
            }),
            Self::Score(at) => all::<FloatType>(column, rows, |said| match said {
                Said::Class { probabilities: Some(scores), .. } => {
                    scores.0.get(*at).map(|(_, score)| *score)
                }
                _ => None,
            }),
            Self::Embedding => write_vectors(rows, column),
        }
    }
}

/// A column in which every row has a value.
fn all<T: DataType>(
    column: &mut Writer<'_>,
    rows: &[(Row, Said)],
    value: impl Fn(&Said) -> Option<T::T>,
) -> Result<()> {
    let values: Vec<T::T> = rows.iter().filter_map(|(_, said)| value(said)).collect();
    column.typed::<T>().write_batch(&values, None, None).map(drop)
}

fn write_carried(of: &Column, rows: &[(Row, Said)], column: &mut Writer<'_>) -> Result<()> {
    match of.kind {
        Kind::Truth => some::<BoolType>(column, of, rows, Value::as_bool),
        Kind::Whole => some::<Int64Type>(column, of, rows, Value::as_i64),
        Kind::Real => some::<DoubleType>(column, of, rows, Value::as_f64),
        Kind::Text => some::<ByteArrayType>(column, of, rows, |value| match value {
            Value::Null => None,
            value => Some(ByteArray::from(table::text(value).as_ref())),
        }),
    }
}

/// A column in which a row may have no value.
fn some<T: DataType>(
    column: &mut Writer<'_>,
    of: &Column,
    rows: &[(Row, Said)],
    value: impl Fn(&Value) -> Option<T::T>,
) -> Result<()> {
    let values = rows.iter().map(|(row, _)| row.get(&of.name).and_then(&value));
    let there: Vec<i16> = values.clone().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = values.flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&there), None).map(drop)
}

fn write_vectors(rows: &[(Row, Said)], column: &mut Writer<'_>) -> Result<()> {
    let mut again = Vec::new();
    let (mut floats, mut bytes) = (Vec::new(), Vec::new());
    for (_, said) in rows {
        let Said::Vector(vector) = said else { continue };
        let count = match vector {
            Vector::Float(numbers) => {
                floats.extend_from_slice(numbers);
                numbers.len()
            }
            Vector::Signed(numbers) => {
                bytes.extend(numbers.iter().copied().map(i32::from));
                numbers.len()
            }
            Vector::Unsigned(numbers) => {
                bytes.extend(numbers.iter().copied().map(i32::from));
                numbers.len()
            }
        };
        // 0 begins a list, 1 goes on with it.
        again.extend((0..count).map(|at| i16::from(at > 0)));
    }
    let there = vec![1; again.len()];
    let (there, again) = (Some(there.as_slice()), Some(again.as_slice()));
    match floats.is_empty() {
        false => column.typed::<FloatType>().write_batch(&floats, there, again).map(drop),
        true => column.typed::<Int32Type>().write_batch(&bytes, there, again).map(drop),
    }
}
