using System.Text;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Judging;

namespace Slipway.Tests.Server.Judging;

public sealed class ReportReaderTests
{
    private static readonly string Json = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Server/Judging/vectors/insufficient-evidence.json"));

    [Fact]
    public void A_report_is_read_as_it_was_written() =>
        Assert.Equal(Json, Encoding.UTF8.GetString(CanonicalJson.Serialize(Read(Json), RolloutJson.Default.JudgeReport)));

    [Theory]
    [InlineData("\"lost\":0", "\"lost\":0,\"more\":1", "more")]
    [InlineData("\"lost\":0", "\"lost\":-1", "a count of its evidence is below 0")]
    [InlineData("\"lost\":0,", "", "lost")]
    [InlineData("\"weight\":1000", "\"weight\":10001", "the weight 10001, allowed 0 to 10000")]
    [InlineData("\"weightRevision\":3", "\"weightRevision\":2", "do not ascend")]
    [InlineData("\"badRequests\":3", "\"badRequests\":899", "weight revision 3 do not hold together")]
    [InlineData("\"requests\":120", "\"requests\":121", "weight revision 2 do not hold together")]
    [InlineData("\"kind\":\"latency\"", "\"kind\":\"error\"", "bad events of weight revision 3")]
    [InlineData("\"kind\":\"latency\"", "\"kind\":7", "no judge's report")]
    [InlineData("\"kind\":\"latency\"", "\"kind\":\"lateness\"", "lateness", false)]
    [InlineData("\"falseAlarm\":0.01", "\"falseAlarm\":0", "false-alarm is 0 %")]
    [InlineData("\"promoteMargin\":0.5", "\"promoteMargin\":0", "promote-margin is 0")]
    [InlineData("\"toleratedRatio\":1", "\"toleratedRatio\":-1", "tolerated-ratio is -1")]
    [InlineData("\"quantile\":0.99,", "\"quantile\":1,", "quantile is 1", false)]
    [InlineData("\"strategy\":\"canary\"", "\"strategy\":9", "no judge's report")]
    [InlineData("{", "", "no judge's report")]
    public void What_could_not_have_been_judged_is_refused(string from, string to, string fault, bool named = true)
    {
        var at = Json.IndexOf(from, StringComparison.Ordinal);
        Assert.True(at >= 0);
        var e = Assert.Throws<SlipwayException>(() => Read(from == "\"quantile\":0.99," ? Json.Replace("{\"limit\":0.05,\"quantile\":0.99}", "{\"limit\":0.05,\"quantile\":1}") : Json[..at] + to + Json[(at + from.Length)..]));
        Assert.Equal((ExitCode.UnusableInput, "bad-report", "report.json"), (e.Exit, e.Faults[0].Code, e.Faults[0].File));
        if (named)
            Assert.Contains(fault, e.Message);
    }

    [Fact]
    public void A_file_without_end_is_refused() => Assert.Throws<SlipwayException>(() => ReportReader.Read(new byte[(16 << 20) + 1], "report.json"));

    private static JudgeReport Read(string json) => ReportReader.Read(Encoding.UTF8.GetBytes(json), "report.json");
}
