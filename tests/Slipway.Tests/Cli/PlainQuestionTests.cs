using Slipway.Cli;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Cli;

public sealed class PlainQuestionTests
{
    [Theory]
    [InlineData("-C")]
    [InlineData("--directory")]
    public async Task A_folder_without_a_name_is_a_bad_argument(string option)
    {
        Assert.Null(PlainQuestion.Of(["status", option, ""]));
        Assert.Equal((int)ExitCode.UnusableInput, await CommandLine.RunAsync(["status", option, ""]));
    }
}
