package reprise.cli;

import java.util.List;

/** {@code reprise rm}: deletes traces. */
final class RmCommand implements Command {
    static final Option FORCED =
            Option.flag('f', "Delete what is still being recorded or broken too, and do not mind what is missing.");

    @Override
    public Syntax syntax() {
        return new Syntax("rm", "TRACE...", Syntax.Target.TRACE, "Delete traces.", List.of(FORCED), "");
    }

    @Override
    public int run(Arguments arguments) {
        if (arguments.operands().isEmpty()) {
            throw syntax().wrongUse("no TRACE given");
        }
        return notBuilt();
    }
}
