using Slipway.Documents.Checks;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Checks;

public class CheckReportTests
{
    [Fact]
    public void What_could_not_be_checked_is_never_a_pass()
    {
        Assert.Equal((CheckVerdict.Passed, ExitCode.Done), Judged(CheckVerdict.Passed, CheckVerdict.Skipped));
        Assert.Equal((CheckVerdict.Error, ExitCode.NotThere), Judged(CheckVerdict.Passed, CheckVerdict.Error));
        Assert.Equal((CheckVerdict.Failed, ExitCode.BadVerdict), Judged(CheckVerdict.Failed, CheckVerdict.Error));
        Assert.Equal((CheckVerdict.Error, ExitCode.NotThere), Judged());
        Assert.Equal(CheckVerdict.Error, default);
    }

    [Fact]
    public void A_spec_that_cannot_be_used_is_unusable_input()
    {
        var report = CheckReports.Of() with { Checks = [new CheckResult(CheckGroup.Spec, "slipway.yaml", CheckVerdict.Failed, 0, null, [])] };
        Assert.Equal(ExitCode.UnusableInput, report.Exit);
        Assert.Equal("failed", report.ToJson().GetProperty("verdict").GetString());
    }

    private static (CheckVerdict, ExitCode) Judged(params CheckVerdict[] verdicts) => (CheckReports.Of(verdicts).Verdict, CheckReports.Of(verdicts).Exit);
}
