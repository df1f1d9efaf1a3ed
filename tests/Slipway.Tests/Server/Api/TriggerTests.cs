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
    [InlineData("Retrain=/bin/true")]
    [InlineData("re train=/bin/true")]
    [InlineData("retrain=webhook:a b")]
    [InlineData("retrain=/bin")]
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

    [Theory]
    [InlineData("")]
    [InlineData("scripts")]
    [InlineData("scripts/train.sh")]
    public void Nothing_on_the_way_to_a_command_may_be_others_to_change(string changeable)
    {
        using var folder = new TestFolder();
        var file = folder.Write("scripts/train.sh", "#!/bin/sh\n");
        foreach (var path in (string[])[folder.Root, folder["scripts"], file])
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        Assert.Equal(file, Trigger.Parse($"retrain={file}").Command);
        foreach (var mode in (int[])[0b111_111_101, 0b111_101_111])
        {
            File.SetUnixFileMode(folder[changeable], (UnixFileMode)mode);
            var refused = Assert.Throws<SlipwayException>(() => Trigger.Parse($"retrain={file}"));
            Assert.Equal((ExitCode.UnusableInput, "bad-trigger"), (refused.Exit, refused.Faults[0].Code));
            Assert.Contains($"chmod go-w {folder[changeable].TrimEnd('/')}", refused.Faults[0].Help);
        }
    }

    [Fact]
    public void What_a_link_leads_to_may_not_be_others_to_change_either()
    {
        using var folder = new TestFolder();
        var file = folder.Write("open/train.sh", "#!/bin/sh\n");
        File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        File.CreateSymbolicLink(folder["train"], file);
        Assert.Equal(folder["train"], Trigger.Parse($"retrain={folder["train"]}").Command);
        File.SetUnixFileMode(folder["open"], (UnixFileMode)0b111_111_111);
        Assert.Equal((ExitCode.UnusableInput, "bad-trigger"), Refused(folder["train"]));
        // In a folder such as /tmp nobody may replace what is another's.
        File.SetUnixFileMode(folder["open"], (UnixFileMode)0b1_111_111_111);
        Assert.Equal(folder["train"], Trigger.Parse($"retrain={folder["train"]}").Command);
    }

    /// <summary>Up from where a link leads is not up from where it stands.</summary>
    [Fact]
    public void A_way_up_behind_a_link_is_gone_as_the_system_goes_it()
    {
        using var folder = new TestFolder();
        foreach (var script in (string[])["safe/train.sh", "open/train.sh", "open/sub/any"])
            File.SetUnixFileMode(folder.Write(script, "#!/bin/sh\n"), (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(folder["open"], (UnixFileMode)0b111_111_111);
        File.CreateSymbolicLink(folder["safe/link"], "../open/sub");
        Assert.Equal((ExitCode.UnusableInput, "bad-trigger"), Refused($"{folder.Root}/safe/link/../train.sh"));
        File.SetUnixFileMode(folder["open"], (UnixFileMode)0b111_101_101);
        Assert.Equal($"{folder.Root}/safe/link/../train.sh", Trigger.Parse($"retrain={folder.Root}/safe/link/../train.sh").Command);
    }

    private static (ExitCode, string) Refused(string file)
    {
        var refused = Assert.Throws<SlipwayException>(() => Trigger.Parse($"retrain={file}"));
        return (refused.Exit, refused.Faults[0].Code);
    }
}
