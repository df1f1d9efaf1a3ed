using Slipway.Documents.Rollouts;

namespace Slipway.Tests.Documents.Rollouts;

public sealed class ChannelNameTests
{
    [Theory]
    [InlineData("staging")]
    [InlineData("production")]
    public void A_channels_name_is_one(string name) => Assert.Null(ChannelName.Check(name));

    [Theory]
    [InlineData(null, "no channel is named, allowed staging and production", null)]
    [InlineData("", "there is no channel '', allowed staging and production", null)]
    [InlineData("Production", "there is no channel 'Production', allowed staging and production", "did you mean production?")]
    [InlineData("stagin", "there is no channel 'stagin', allowed staging and production", "did you mean staging?")]
    [InlineData("a\nb", "there is no channel 'a b', allowed staging and production", null)]
    public void Anything_else_is_told_with_what_there_is(string? name, string message, string? help)
    {
        var fault = ChannelName.Check(name)!;
        Assert.Equal(("no-channel", message, help), (fault.Code, fault.Message, fault.Help));
    }

    [Fact]
    public void An_endless_name_is_cut() => Assert.InRange(ChannelName.Check(new string('x', 100_000))!.Message.Length, 1, 200);
}
