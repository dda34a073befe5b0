//! What must hold of any file, any number of shards, and any way a run was cut short.

use proptest::prelude::*;

use super::*;

fn made(sha256: &str) -> Made {
    Made { bytes: 9, sha256: sha256.to_owned() }
}

fn run(rows: u64, shard: Shard) -> Manifest {
    let input = Input { content: made("in"), rows };
    let [name, digest, precision] = ["name", "digest", "int8"].map(str::to_owned);
    let model = ModelMade { name, digest, precision };
    let options = [("task".to_owned(), "classify".to_owned())].into();
    Manifest::new(input, model, options, shard)
}

fn part(start: u64, end: u64, rejected: u64) -> Part {
    let counts = Counts { answered: end - start - rejected, rejected, cut: 0, tokens: 7 };
    Part { start, end, counts, output: made("part"), rejects: None }
}

/// A run that was done in parts of so many rows.
fn done(rows: u64, shard: Shard, size: u64) -> Manifest {
    let mut run = run(rows, shard);
    while !run.is_done() {
        let rest = run.rest();
        run.push(part(rest.start, rest.end.min(rest.start + size), 0)).unwrap();
    }
    Manifest { output: Some(made("out")), ..run }
}

proptest! {
    #[test]
    fn every_row_is_one_shards_and_none_has_more_than_one_more(
        total in 0..u64::MAX,
        of in 1..300_u32,
    ) {
        let shards: Vec<_> =
            Shard::new(0, of).unwrap().all().map(|shard| shard.rows(total)).collect();
        prop_assert_eq!(shards[0].start, 0);
        prop_assert_eq!(shards[shards.len() - 1].end, total);
        for pair in shards.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
        }
        let sizes = shards.iter().map(|rows| rows.end - rows.start);
        prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
    }

    #[test]
    fn a_shard_is_read_as_it_is_written(index in 0..99_u32, more in 1..99_u32) {
        let shard = Shard::new(index, index + more).unwrap();
        prop_assert_eq!(shard.to_string().parse(), Ok(shard));
        let json = serde_json::to_string(&shard).unwrap();
        prop_assert_eq!(serde_json::from_str::<Shard>(&json).unwrap(), shard);
    }

    #[test]
    fn however_a_run_is_cut_up_its_parts_are_its_rows_once_and_in_order(
        total in 0..5000_u64,
        of in 1..9_u32,
        sizes in prop::collection::vec(1..700_u64, 1..40),
    ) {
        let mut rows = 0;
        for shard in Shard::new(0, of).unwrap().all() {
            let mut manifest = run(total, shard);
            for size in sizes.iter().cycle() {
                let rest = manifest.rest();
                if rest.is_empty() {
                    break;
                }
                // It is killed here, and goes on from what it reads.
                let json = serde_json::to_string(&manifest).unwrap();
                manifest = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(manifest.fits(&run(total, shard)), Ok(()));
                let end = rest.end.min(rest.start + size);
                manifest.push(part(rest.start, end, (end - rest.start) / 3)).unwrap();
            }
            prop_assert!(manifest.is_done());
            let counts = manifest.counts();
            rows += counts.answered + counts.rejected;
        }
        prop_assert_eq!(rows, total);
    }

    #[test]
    fn a_part_out_of_turn_is_refused(total in 1..100_u64, at in 0..100_u64, end in 0..120_u64) {
        let mut manifest = run(total, Shard::WHOLE);
        let good = at == 0 && end > 0 && end <= total;
        let counts = Counts { answered: end.saturating_sub(at), ..Counts::default() };
        let part = Part { start: at, end, counts, output: made("part"), rejects: None };
        prop_assert_eq!(manifest.push(part.clone()).is_ok(), good, "{:?}", part);
        let short = Part { counts: Counts::default(), ..part };
        prop_assert!(manifest.push(short).is_err(), "rows without a result");
    }

    #[test]
    fn shards_in_any_order_are_one_whole(
        total in 0..300_u64,
        of in 1..12_u32,
        size in 1..50_u64,
        seed in any::<u64>(),
    ) {
        let mut shards: Vec<Manifest> =
            Shard::new(0, of).unwrap().all().map(|shard| done(total, shard, size)).collect();
        shards.sort_by_key(|run| (u64::from(run.shard.index()) + 1).wrapping_mul(seed | 1));
        let order = in_order(&shards).unwrap();
        let ordered = order.iter().map(|&at| &shards[at]);
        let whole = joined(&shards[0], ordered);
        prop_assert_eq!(whole.fits(&run(total, Shard::WHOLE)), Ok(()));
        prop_assert!(whole.is_done());
        prop_assert_eq!(whole.counts().answered, total);
    }

    #[test]
    fn the_longest_text_is_first_and_none_is_left_out(lengths in prop::collection::vec(0..99_usize, 0..99)) {
        let mut order = longest_first(&lengths);
        prop_assert!(order.windows(2).all(|pair| lengths[pair[0]] >= lengths[pair[1]]));
        order.sort_unstable();
        prop_assert_eq!(order, (0..lengths.len()).collect::<Vec<_>>());
    }
}

#[test]
fn what_names_no_shard_is_refused_with_why() {
    for text in ["", "1", "1/", "/2", "a/2", "-1/2", "1/2/3", "0/4294967295"] {
        assert_eq!(text.parse::<Shard>(), Err(NoShard::Form(text.to_owned())), "{text:?}");
    }
    for (text, index, of) in [("4/4", 4, 4), ("0/0", 0, 0)] {
        assert_eq!(text.parse::<Shard>(), Err(NoShard::Beyond { index, of }), "{text:?}");
    }
}

/// What a change to a run makes of it.
type Change = fn(&mut Manifest);

#[test]
fn whatever_changes_an_answer_is_named() {
    let whole = run(10, Shard::WHOLE);
    let cases: [(&str, Change, &str); 9] = [
        ("nothing", |_| {}, ""),
        ("another name", |run| run.model.name.push('x'), ""),
        ("a newer record", |run| run.version = 2, "version 2, and this program reads 1"),
        ("other bytes", |run| run.input.content.sha256.push('x'), "the input has changed"),
        ("another digest", |run| run.model.digest.push('x'), "digestx in int8, and this is digest"),
        ("another precision", |run| run.model.precision = "f32".into(), "in f32, and this is"),
        (
            "another option",
            |run| drop(run.options.insert("task".into(), "embed".into())),
            "task = embed, and this is classify",
        ),
        (
            "one more option",
            |run| drop(run.options.insert("prompt".into(), "query".into())),
            "prompt = query, and this is nothing",
        ),
        (
            "other rows",
            |run| run.shard = "0/2".parse().unwrap(),
            "it is shard 0/2, and this is 0/1",
        ),
    ];
    for (case, change, expected) in cases {
        let mut other = whole.clone();
        change(&mut other);
        let got = other.fits(&whole).err().map(|misfit| misfit.to_string()).unwrap_or_default();
        assert!(got.contains(expected) && got.is_empty() == expected.is_empty(), "{case}: {got}");
    }
}

#[test]
fn a_record_whose_parts_do_not_follow_each_other_is_damaged() {
    let mut gap = run(10, Shard::WHOLE);
    gap.parts = vec![part(0, 3, 0), part(4, 10, 0)];
    let misfit = gap.fits(&run(10, Shard::WHOLE)).unwrap_err().to_string();
    assert!(misfit.contains("rows 4 to 10 with 6 results are not next; 3 is"), "{misfit}");
}

#[test]
fn shards_that_are_no_whole_are_named() {
    let shards: Vec<Manifest> =
        Shard::new(0, 4).unwrap().all().map(|shard| done(10, shard, 2)).collect();
    let with = |at: usize, change: Change| {
        let mut shards = shards.clone();
        change(&mut shards[at]);
        shards
    };
    let twice = [&shards[..], &shards[2..3]].concat();
    let cases = [
        ("none", vec![], "there is no shard"),
        ("some are missing", vec![shards[1].clone(), shards[3].clone()], "no shard 0/4, 2/4"),
        ("one is there twice", twice, "shard 2/4 is there twice"),
        (
            "another number",
            with(1, |run| run.shard = "1/5".parse().unwrap()),
            "shard 1/5 does not go with shard 0/4",
        ),
        (
            "another model",
            with(3, |run| run.model.digest = "x".into()),
            "shard 3/4 does not go with the first one: it was begun with the model",
        ),
        (
            "an unfinished one",
            with(2, |run| drop(run.parts.pop())),
            "2/4 is not done; its next row is 6",
        ),
        ("an unjoined one", with(2, |run| run.output = None), "shard 2/4 is not done"),
    ];
    for (case, shards, expected) in cases {
        let got = in_order(&shards).unwrap_err().to_string();
        assert!(got.contains(expected), "{case}: expected {expected:?}, got {got:?}");
    }
}

#[test]
fn a_part_is_full_by_rows_or_by_bytes() {
    let size = PartSize { rows: 3, bytes: 100 };
    let cases = [((2, 99), false), ((3, 0), true), ((1, 100), true)];
    for ((rows, bytes), expected) in cases {
        assert_eq!(size.is_full(rows, bytes), expected, "{rows} rows, {bytes} bytes");
    }
}
