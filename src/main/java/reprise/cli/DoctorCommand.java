package reprise.cli;

import java.util.ArrayList;
import java.util.List;
import reprise.trace.TraceDirectories;

/** {@code reprise doctor}: whether this machine can record and replay, and what it lacks. */
final class DoctorCommand implements Command {
    private static final int WIDTH = 17;

    @Override
    public Syntax syntax() {
        return new Syntax(
                "doctor",
                "",
                Syntax.Target.NOTHING,
                "Check what this machine offers for recording and replaying. For each lack, say what it means and what to do.",
                List.of(),
                "The exit status is 1 if nothing can be recorded here.");
    }

    @Override
    public int run(Arguments arguments) {
        if (!arguments.operands().isEmpty()) {
            throw syntax().wrongUse("takes no operand");
        }
        List<Finding> findings = new ArrayList<>(KernelChecks.run());
        findings.addAll(InstallationChecks.run(TraceDirectories.ofUser()));
        Output.print(output -> findings.forEach(finding -> print(finding, output)));
        boolean fatal = findings.stream().anyMatch(each -> each.verdict() == Finding.Verdict.FATAL);
        return fatal ? ExitStatus.FAILED : ExitStatus.OK;
    }

    static void print(Finding finding, Output output) {
        output.left(finding.verdict().word(), 9).left(finding.subject(), WIDTH);
        output.add(Quotes.plain(finding.seen())).line();
        if (!finding.meaning().isEmpty()) {
            output.left("", 9 + WIDTH).add("means: ").add(finding.meaning()).line();
        }
        if (!finding.advice().isEmpty()) {
            output.left("", 9 + WIDTH).add("to do: ").add(finding.advice()).line();
        }
    }
}
