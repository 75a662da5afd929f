"""The {reference-metrics} directive: the tables of lllcourse/grading/reference_metrics.json, as they are today."""

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class ReferenceMetrics(SphinxDirective):
    def run(self):
        # Imported here, since it brings torch: builds without this page shall not wait for it.
        from grader import reference
        from lllcourse.grading import check

        self.env.note_dependency(str(check.METRICS_FILE))
        lines = StringList(reference.as_markdown().splitlines(), check.METRICS_FILE.name)
        holder = nodes.section()
        holder.document = self.state.document
        self.state.nested_parse(lines, self.content_offset, holder, match_titles=True)
        return holder.children


def setup(app):
    app.add_directive("reference-metrics", ReferenceMetrics)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
