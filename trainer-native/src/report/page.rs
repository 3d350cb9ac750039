//! `report.html`: summary, figures and gallery in one file that needs no other.

use super::gallery::GalleryImage;
use crate::chart::thousands;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:1200px;margin:2rem auto;padding:0 1rem;color:#222}\
h1,h2{line-height:1.2}img{max-width:100%;height:auto;border:1px solid #ddd}figure{margin:1.5rem 0}\
pre{font-size:13px;line-height:1.35;overflow-x:auto;background:#f6f6f6;padding:1rem}\
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:1rem}.gallery figure{margin:0}";

/// The page. `figures` are (title, PNG).
pub fn page(title: &str, summary: &str, figures: &[(&str, Vec<u8>)], gallery: &[GalleryImage]) -> String {
    let title = escaped(title);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    for (caption, png) in figures {
        html += &format!("<figure>{}</figure>\n", image(png, caption));
    }
    if !gallery.is_empty() {
        html += "<h2>Samples over the training</h2>\n<div class=\"gallery\">\n";
        for picture in gallery {
            let caption = format!("{}, step {}", picture.name, thousands(picture.step));
            html += &format!("<figure>{}<figcaption>{}</figcaption></figure>\n", image(&picture.png, &caption), escaped(&caption));
        }
        html += "</div>\n";
    }
    html + &format!("<h2>Summary</h2>\n<pre>{}</pre>\n</body>\n</html>\n", escaped(summary))
}

fn image(png: &[u8], alternative: &str) -> String {
    format!("<img alt=\"{}\" src=\"data:image/png;base64,{}\">", escaped(alternative), STANDARD.encode(png))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
