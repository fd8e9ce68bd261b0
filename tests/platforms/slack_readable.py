"""Blocks as a person reads them, for files that are compared and looked at."""

BULLETS = {"bullet": "•", "ordered": "#"}
STATUS = {"pending": "[ ]", "in_progress": "[>]", "complete": "[x]", "error": "[!]"}


def readable(form):
    """One form of a message: its text, then its blocks."""
    blocks = [line for block in form.blocks for line in block_lines(block)]
    text = [f"» {line}" for line in form.text.replace("\u200b", "‸").split("\n")]
    return "\n".join([*text, "", *blocks, f"shortened: {'yes' if form.shortened else 'no'}"]) + "\n"


def block_lines(block):
    return DRAW[block["type"]](block)


def said(text):
    return text["text"] if text["type"] == "plain_text" else f"{text['text']}  ‹mrkdwn›"


def element(part):
    style = part.get("style", {})
    match part["type"]:
        case "date":
            shown = f"‹{part['fallback']}›"
        case "link":
            shown = f"[{part['text']}]({part['url']})"
        case _:
            shown = part["text"]
    return f"`{shown}`" if style.get("code") else f"*{shown}*" if style.get("bold") else shown


def inline(part):
    return "".join(map(element, part["elements"]))


def rich_text(block):
    for part in block["elements"]:
        match part["type"]:
            case "rich_text_list":
                yield from (f"{BULLETS[part['style']]} {inline(item)}" for item in part["elements"])
            case "rich_text_preformatted":
                yield from (f"    {line}" for line in inline(part).split("\n"))
            case _:
                yield from inline(part).split("\n")


def section(block):
    if "fields" not in block:
        return said(block["text"]).split("\n")
    return [" | ".join(field["text"].split("\n")) for field in block["fields"]]


def button(one):
    style = f", {one['style']}" if "style" in one else ""
    confirm = f", asks “{one['confirm']['title']['text']} {one['confirm']['text']['text']}”" if "confirm" in one else ""
    return f"[{one['text']['text']} → {one.get('value') or one['url']}{style}{confirm}]"


def chart(block):
    drawn = block["chart"]
    axis = drawn["axis_config"]
    yield f"╭ {block['title']} ({drawn['type']}; y: {axis.get('y_label', '–')})"
    yield f"│ {' '.join(axis['categories'])}"
    for line in drawn["series"]:
        assert [point["label"] for point in line["data"]] == axis["categories"]
        yield f"│ {line['name']}: {' '.join(str(point['value']) for point in line['data'])}"
    yield "╰"


def cell(one):
    match one["type"]:
        case "raw_number":
            return f"{one['text']} (={one['value']})"
        case "rich_text":
            return inline(one["elements"][0])
        case _:
            return one["text"]


def table(block):
    yield f"╭ {block['caption']} ({block['page_size']} a page)"
    yield from (f"│ {' | '.join(map(cell, row))}" for row in block["rows"])
    yield "╰"


def plan(block):
    yield f"╭ {block['title']} (plan “{block['block_id']}”)"
    for task in block["tasks"]:
        yield f"│ {STATUS[task['status']]} {task['title']}"
        if "output" in task:
            yield f"│       {' '.join(rich_text(task['output']))}"
    yield "╰"


def container(block):
    yield f"▸ {block['title']['text']} (folded: {block['default_collapsed']})"
    yield from (f"│ {line}" for child in block["child_blocks"] for line in block_lines(child))


DRAW = {
    "header": lambda block: [f"# {block['text']['text']}"],
    "rich_text": rich_text,
    "section": section,
    "context": lambda block: [f"· {said(one)}" for one in block["elements"]],
    "actions": lambda block: [" ".join(map(button, block["elements"]))],
    "data_visualization": chart,
    "data_table": table,
    "plan": plan,
    "container": container,
}
