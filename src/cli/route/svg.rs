//! Plots as SVG: text and a few shapes, readable on light and dark pages, with the figures as text for who can't see them.

use std::fmt::Write as _;

/// A point with the half width of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub half: f64,
}

/// A line of points with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    pub points: Vec<Point>,
}

/// A named bar with its interval, for [`bars`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub name: String,
    pub value: f64,
    pub half: f64,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;

/// Colours that differ for the colour-blind too (M. Okabe and K. Ito, 2008).
const COLOURS: [&str; 6] = ["#999999", "#e69f00", "#56b4e9", "#0072b2", "#d55e00", "#009e73"];

/// Lines with whiskers over `x`, whose points are marked on the axis.
pub fn lines(title: &str, x_name: &str, y_name: &str, series: &[Series]) -> String {
    let points =
        || series.iter().flat_map(|series| &series.points).filter(|point| point.y.is_finite());
    let (mut low, mut high) = range(
        points().flat_map(|point| [point.y - finite(point.half), point.y + finite(point.half)]),
    );
    let (first, last) = range(points().map(|point| point.x));
    let margin = (high - low) * 0.05;
    (low, high) = (low - margin, high + margin);
    let across = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * (0.05 + 0.9 * part(x, first, last));
    let up = |y: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part(y, low, high);
    let mut out = begin(title, &words(series), HEIGHT);
    for y in ticks(low, high) {
        let at = up(y);
        line(
            &mut out,
            (LEFT, at),
            (WIDTH - RIGHT, at),
            "stroke=\"currentColor\" stroke-opacity=\"0.15\"",
        );
        text(&mut out, (LEFT - 6.0, at + 4.0), "end", &label(y));
    }
    let mut marks: Vec<f64> = points().map(|point| point.x).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    for x in marks {
        text(&mut out, (across(x), HEIGHT - BOTTOM + 18.0), "middle", &label(x));
    }
    text(&mut out, ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0), "middle", x_name);
    text(&mut out, (8.0, TOP - 10.0), "start", y_name);
    for (at, series) in series.iter().enumerate() {
        let stroke = format!("stroke=\"{}\" stroke-width=\"2\"", COLOURS[at % COLOURS.len()]);
        // Side by side, so that whiskers at the same place don't cover each other.
        let aside = (at as f64 - 2.0) * 4.0;
        let place = |point: &Point| (across(point.x) + aside, up(point.y));
        let drawn = |pair: &&[Point]| pair.iter().all(|point| point.y.is_finite());
        for pair in series.points.windows(2).filter(drawn) {
            line(&mut out, place(&pair[0]), place(&pair[1]), &stroke);
        }
        for point in series.points.iter().filter(|point| point.y.is_finite()) {
            let (x, y) = place(point);
            let half = finite(point.half);
            line(&mut out, (x, up(point.y - half)), (x, up(point.y + half)), &stroke);
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{}\"/>",
                COLOURS[at % COLOURS.len()]
            );
        }
        let y = TOP + 18.0 * at as f64;
        line(&mut out, (WIDTH - RIGHT + 12.0, y), (WIDTH - RIGHT + 32.0, y), &stroke);
        text(&mut out, (WIDTH - RIGHT + 38.0, y + 4.0), "start", &series.name);
    }
    out.push_str("</svg>\n");
    out
}

/// Bars from zero with whiskers, one below the other.
pub fn bars(title: &str, x_name: &str, bars: &[Bar]) -> String {
    let height = TOP + BOTTOM + 26.0 * bars.len() as f64;
    let ends =
        bars.iter().flat_map(|bar| [bar.value - finite(bar.half), bar.value + finite(bar.half)]);
    let (low, high) = range(ends.chain([0.0]));
    let margin = (high - low) * 0.05;
    let (low, high) = (low - margin, high + margin);
    let (left, right) = (150.0, 24.0);
    let across = |x: f64| left + (WIDTH - left - right) * part(x, low, high);
    let said: Vec<String> =
        bars.iter().map(|bar| format!("{} {}", bar.name, label(bar.value))).collect();
    let mut out = begin(title, &format!("{}: {}", x_name, said.join(", ")), height);
    for x in ticks(low, high) {
        let at = across(x);
        line(
            &mut out,
            (at, TOP),
            (at, height - BOTTOM),
            "stroke=\"currentColor\" stroke-opacity=\"0.15\"",
        );
        text(&mut out, (at, height - BOTTOM + 18.0), "middle", &label(x));
    }
    text(&mut out, ((left + WIDTH - right) / 2.0, height - 10.0), "middle", x_name);
    for (at, bar) in bars.iter().enumerate() {
        let y = TOP + 26.0 * at as f64;
        let (from, to) = (across(bar.value.min(0.0)), across(bar.value.max(0.0)));
        let colour = if bar.value < 0.0 { COLOURS[4] } else { COLOURS[3] };
        let _ = writeln!(
            out,
            "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"16\" fill=\"{colour}\"/>",
            y + 5.0,
            to - from
        );
        let half = finite(bar.half);
        if half > 0.0 {
            let ends = ((across(bar.value - half), y + 13.0), (across(bar.value + half), y + 13.0));
            line(&mut out, ends.0, ends.1, "stroke=\"currentColor\" stroke-width=\"1.5\"");
        }
        text(&mut out, (left - 8.0, y + 17.0), "end", &bar.name);
    }
    let zero = across(0.0);
    line(&mut out, (zero, TOP), (zero, height - BOTTOM), "stroke=\"currentColor\"");
    out.push_str("</svg>\n");
    out
}

fn begin(title: &str, words: &str, height: f64) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<title>{}</title>\n<desc>{}</desc>\n\
         <style>svg {{ color: #222 }} @media (prefers-color-scheme: dark) {{ svg {{ color: #ddd }} }}</style>\n",
        escaped(title),
        escaped(words),
    );
    let _ = writeln!(
        out,
        "<text x=\"8\" y=\"18\" font-size=\"14\" font-weight=\"600\" fill=\"currentColor\">{}</text>",
        escaped(title)
    );
    out
}

fn words(series: &[Series]) -> String {
    let one = |series: &Series| {
        let points: Vec<String> = series
            .points
            .iter()
            .filter(|point| point.y.is_finite())
            .map(|point| format!("{} at {}", label(point.y), label(point.x)))
            .collect();
        format!("{}: {}", series.name, points.join(", "))
    };
    series.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64), stroke: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {stroke}/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, at: (f64, f64), anchor: &str, words: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"currentColor\">{}</text>",
        at.0,
        at.1,
        escaped(words)
    );
}

/// Names come from files: what would be markup is written as text, and what XML can't hold is left out.
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars().filter(|c| !c.is_control()) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

fn finite(half: f64) -> f64 {
    if half.is_finite() { half } else { 0.0 }
}

fn range(figures: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = figures
        .filter(|figure| figure.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (f64::min(low, x), f64::max(high, x))
        });
    match (low, high) {
        (low, high) if low > high => (0.0, 1.0),
        (low, high) if high - low < 1e-9 => (low - 0.5, high + 0.5),
        both => both,
    }
}

fn part(x: f64, low: f64, high: f64) -> f64 {
    (x - low) / (high - low)
}

/// Round figures within the range, four to nine of them.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let ten = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|times| times * ten)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|times| times as f64 * step).collect()
}

/// With as many places as a figure of this size needs.
fn label(figure: f64) -> String {
    let places = if figure.abs() >= 100.0 { 0 } else { 3 };
    let text = format!("{figure:.places$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64) -> Point {
        Point { x, y, half: 0.01 }
    }

    #[test]
    fn a_plot_is_sound_xml_that_says_its_figures() {
        let series = [
            Series {
                name: "skill <&\">".into(),
                points: vec![point(0.85, 0.92), point(1.0, 0.74)],
            },
            Series {
                name: "context\u{0}".into(),
                points: vec![point(0.85, 0.95), point(1.0, f64::NAN)],
            },
        ];
        let plot = lines("Service level", "load", "in time", &series);
        let parsed = roxmltree::Document::parse(&plot).expect("sound XML");
        let said = parsed
            .descendants()
            .find(|node| node.has_tag_name("desc"))
            .and_then(|node| node.text());
        assert!(
            said.is_some_and(|said| said.contains("skill <&\">: 0.92 at 0.85, 0.74 at 1")),
            "{said:?}"
        );
        let circles = parsed.descendants().filter(|node| node.has_tag_name("circle")).count();
        assert_eq!(circles, 3, "a figure that isn't a number has no point");
        assert!(!plot.contains("NaN\""));
    }

    #[test]
    fn bars_go_both_ways_from_zero() {
        let all = [
            Bar { name: "a".into(), value: 0.06, half: 0.01 },
            Bar { name: "b".into(), value: -0.02, half: f64::INFINITY },
        ];
        let plot = bars("Gain", "points", &all);
        let parsed = roxmltree::Document::parse(&plot).expect("sound XML");
        let widths: Vec<f64> = parsed
            .descendants()
            .filter(|node| node.has_tag_name("rect"))
            .filter_map(|node| node.attribute("width")?.parse().ok())
            .collect();
        assert_eq!(widths.len(), 2);
        assert!((widths[0] / widths[1] - 3.0).abs() < 0.05, "{widths:?}");
        assert!(bars("Nothing", "points", &[]).contains("</svg>"));
    }

    #[test]
    fn ticks_are_round_and_within() {
        let round: Vec<String> = ticks(0.63, 0.98).into_iter().map(label).collect();
        assert_eq!(round, ["0.7", "0.8", "0.9"]);
        assert_eq!(label(0.30000000000000004), "0.3");
        assert_eq!(label(-0.0001), "0");
        assert_eq!(label(120.0), "120");
    }
}
