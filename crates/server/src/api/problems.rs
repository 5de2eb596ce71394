//! `/problems/{slug}`: the page that a problem's `type` names, from `docs/problems/`.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use klatch_protocol::objects::Slug;
use rust_embed::RustEmbed;

use super::ApiState;
use super::page::page;
use super::problem::Refusal;

#[derive(RustEmbed)]
#[folder = "../../docs/problems"]
struct Pages;

pub fn router() -> Router<ApiState> {
    Router::new().route("/problems", get(list)).route("/problems/{slug}", get(show))
}

async fn list() -> Response {
    let item = |slug: &Slug| {
        let (name, title) = (slug.as_str(), inline(slug.title()));
        format!("<li><a href=\"/problems/{name}\"><code>{name}</code></a> ({}): {title}</li>", slug.status())
    };
    let items: String = Slug::ALL.iter().map(item).collect();
    document("Problems", &format!("<h1>Problems</h1><p>Why something can be refused.</p><ul>{items}</ul>"))
}

async fn show(Path(slug): Path<String>) -> Result<Response, Refusal> {
    let slug = slug.trim_end_matches(".md");
    let found = Slug::parse(slug).and_then(|slug| Pages::get(&format!("{}.md", slug.as_str())));
    let found = found.ok_or_else(Refusal::not_found)?;
    let text = String::from_utf8_lossy(&found.data);
    Ok(document(slug, &html(&text)))
}

fn document(title: &str, body: &str) -> Response {
    page(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title}</title><link rel=\"stylesheet\" \
         href=\"/api/docs/docs.css\"></head><body class=\"page\"><main>{body}</main></body></html>"
    ))
}

/// The little of Markdown that these pages are written in: headings, lists, paragraphs, `code` and **strong**.
fn html(text: &str) -> String {
    let block = |block: &str| match block.split_once(' ') {
        Some(("#", title)) => format!("<h1>{}</h1>", inline(title)),
        Some(("##", title)) => format!("<h2>{}</h2>", inline(title)),
        Some(("-", _)) => {
            let items: String =
                block.split("\n- ").map(|item| format!("<li>{}</li>", inline(item.trim_start_matches("- ")))).collect();
            format!("<ul>{items}</ul>")
        }
        _ => format!("<p>{}</p>", inline(block)),
    };
    text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).map(block).collect()
}

fn inline(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    paired(&paired(&escaped, "`", "code"), "**", "strong")
}

/// Every second piece between marks stands in the element.
fn paired(text: &str, mark: &str, name: &str) -> String {
    let pieces = text.split(mark).enumerate();
    pieces.map(|(i, piece)| if i % 2 == 1 { format!("<{name}>{piece}</{name}>") } else { piece.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_has_a_page_and_every_page_a_slug() {
        for slug in Slug::ALL {
            let name = format!("{}.md", slug.as_str());
            let page = Pages::get(&name).unwrap_or_else(|| panic!("docs/problems/{name} is missing"));
            let text = String::from_utf8(page.data.into_owned()).unwrap();
            let title = format!("# {} (`{}`", slug.title(), slug.as_str());
            assert!(text.starts_with(&title), "docs/problems/{name} must begin with {title:?}");
        }
        for name in Pages::iter().filter(|name| *name != "README.md") {
            assert!(Slug::parse(name.trim_end_matches(".md")).is_some(), "docs/problems/{name} has no slug");
        }
    }

    #[test]
    fn pages_are_rendered_without_letting_anything_through() {
        assert_eq!(
            html("# A `b`\n\ntwo\nlines\n\n- one\n- **two**"),
            "<h1>A <code>b</code></h1><p>two\nlines</p><ul><li>one</li><li><strong>two</strong></li></ul>"
        );
        assert_eq!(html("<script>&"), "<p>&lt;script&gt;&amp;</p>");
    }
}
