using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Api;

public sealed class TriggerTests
{
    [Fact]
    public void A_trigger_is_a_command_or_a_webhook()
    {
        Assert.Equal(new Trigger("retrain", "/bin/true", null), Trigger.Parse("retrain=/bin/true"));
        Assert.Equal(new Trigger("nightly", null, "ops"), Trigger.Parse("nightly=webhook:ops"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("retrain")]
    [InlineData("=/bin/true")]
    [InlineData("retrain=")]
    [InlineData("retrain=webhook:")]
    [InlineData("retrain=train.sh")]
    [InlineData("retrain=./train.sh")]
    public void What_is_neither_is_refused(string text) => Assert.Equal("bad-trigger", Assert.Single(Assert.Throws<SlipwayException>(() => Trigger.Parse(text)).Faults).Code);

    [Fact]
    public void A_command_must_be_there_executable_and_not_everybodys_to_change()
    {
        using var folder = new TestFolder();
        Assert.Equal((ExitCode.NotThere, "trigger-missing"), Refused(folder["train.sh"]));
        folder.Write("train.sh", "#!/bin/sh\n");
        Assert.Equal((ExitCode.NotThere, "trigger-not-executable"), Refused(folder["train.sh"]));
        File.SetUnixFileMode(folder["train.sh"], (UnixFileMode)0b111_111_111);
        Assert.Equal((ExitCode.UnusableInput, "bad-trigger"), Refused(folder["train.sh"]));
        File.SetUnixFileMode(folder["train.sh"], (UnixFileMode)0b111_101_101);
        Assert.Equal(folder["train.sh"], Trigger.Parse($"retrain={folder["train.sh"]}").Command);
    }

    private static (ExitCode, string) Refused(string file)
    {
        var refused = Assert.Throws<SlipwayException>(() => Trigger.Parse($"retrain={file}"));
        return (refused.Exit, refused.Faults[0].Code);
    }
}
