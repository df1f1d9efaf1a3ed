using System.Text;
using System.Text.Json;
using Slipway.Cli;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Faults;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Cli;

public sealed class LabelFileTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly List<PredictionLabel> sent = [];

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("labels.csv", "id,label\na,1\nb,0\n")]
    [InlineData("labels.csv", "\ufeffid;label\r\na;1\r\nb;0\r\n")]
    [InlineData("labels.tsv", "label\tid\tseen\ntrue\ta\t2026\nfalse\tb\t2026\n")]
    [InlineData("labels.csv", "id|label\n\"a\"|1.0\nb|0")]
    [InlineData("labels.jsonl", "{\"id\":\"a\",\"label\":1}\n{\"id\":\"b\",\"label\":false}\n")]
    public async Task Tables_of_every_form_are_told(string name, string content)
    {
        var receipt = await TellAsync(name, content);
        Assert.Equal([new("a", 1), new("b", 0)], sent);
        Assert.Equal((2, 0), (receipt.Matched, receipt.Refused));
    }

    [Fact]
    public async Task An_id_that_looks_like_a_number_stays_text()
    {
        await TellAsync("labels.csv", "id,label\n007,1\n1e3,0\n\"x \"\"q\"\"\",1\n");
        Assert.Equal(["007", "1e3", "x \"q\""], sent.Select(label => label.Id));
    }

    [Fact]
    public async Task A_refused_row_is_told_by_its_number_with_what_it_holds_and_what_is_allowed_and_the_others_are_sent()
    {
        var receipt = await TellAsync("labels.csv", "id,label\na,1\nb,perhaps\n,0\nc,\nd,nan\ne,0\n");
        Assert.Equal(["a", "e"], sent.Select(label => label.Id));
        Assert.Equal(4, receipt.Refused);
        Assert.Equal(
            [
                "row 2: 'label' is 'perhaps', allowed are 0, 1, true, false, or a regression's numbers",
                "row 3: 'id' is empty, allowed are ids of 1 to 200 characters",
                "row 4: 'label' is empty, allowed are 0, 1, true, false, or a regression's numbers",
                "row 5: 'label' is 'nan', allowed are 0, 1, true, false, or a regression's numbers",
            ],
            receipt.Problems);
    }

    [Fact]
    public async Task What_the_server_refuses_is_told_by_the_files_row_too()
    {
        var receipt = await TellAsync("labels.csv", "id,label\n,1\na,1\nb,7\n", "line 2: its label is neither 0 nor 1");
        Assert.Equal(["row 1: 'id' is empty, allowed are ids of 1 to 200 characters", "row 3: its label is neither 0 nor 1"], receipt.Problems);
    }

    [Fact]
    public async Task More_than_a_call_takes_goes_in_several_and_rows_are_counted_through()
    {
        var content = new StringBuilder("id,label\n");
        for (var i = 0; i < PredictionLabel.MostLines + 2; i++)
            content.Append($"r{i},1\n");
        var receipt = await TellAsync("labels.csv", content.ToString(), "line 2: it is not liked");
        Assert.Equal(PredictionLabel.MostLines + 2, sent.Count);
        Assert.Equal(["row 2: it is not liked", $"row {PredictionLabel.MostLines + 2}: it is not liked"], receipt.Problems);
    }

    [Theory]
    [InlineData("labels.csv", "", "no-labels", "is empty, so nothing was told")]
    [InlineData("labels.csv", "id,label\n", "no-labels", "has no row, so nothing was told")]
    [InlineData("labels.csv", "id,label\na,1\nb,1,2\nc,0\n", "labels-unreadable", "has 3 cells in row 2, allowed are 2, as in its header")]
    [InlineData("labels.csv", "id,label\na\n", "labels-unreadable", "has one cell in row 1, allowed are 2, as in its header")]
    [InlineData("labels.csv", "id,label\n\"a,1\nb,0\n", "labels-unreadable", "has a quote that does not end in row 1")]
    [InlineData("labels.csv", "id,label,ID\na,1,2\n", "bad-columns", "has several columns 'id'")]
    [InlineData("labels.csv", "id,label,\na,1,2\n", "bad-columns", "has a column without a name in its first line")]
    [InlineData("labels.csv", "ids,label\na,1\n", "no-column", "has no column 'id'; its columns are 'ids', 'label'")]
    [InlineData("labels.csv", "id#label\na#1\n", "no-column", "has no column 'id'; its only column is 'id#label'")]
    [InlineData("labels.csv", "a,1\nb,0\n", "no-column", "has no column 'id'; its columns are 'a', '1'")]
    [InlineData("labels.csv.gz", "id,label\na,1\n", "labels-unreadable", "is no gzip file, or is cut off")]
    [InlineData("labels.parquet", "id,label\na,1\n", "labels-unreadable", "is no Parquet file, or is cut off")]
    [InlineData("labels.jsonl", "{\"id\":\"a\",\"label\":1}\nnope\n", "labels-unreadable", "is no JSON in row 2, allowed is an object a line")]
    public async Task What_is_no_table_of_labels_is_refused_in_our_words_and_nothing_of_it_is_sent(string name, string content, string code, string message)
    {
        var (exit, fault) = await RefusedAsync(folder.Write(name, content));
        Assert.Equal((ExitCode.UnusableInput, code, message), (exit, fault.Code, fault.Message));
        Assert.NotNull(fault.Help);
        Assert.Empty(sent);
    }

    [Fact]
    public async Task A_file_of_another_kind_is_answered_with_those_that_are_read()
    {
        var (exit, fault) = await RefusedAsync(folder.Write("some.txt", "id,label\na,1\n"));
        Assert.Equal((ExitCode.UnusableInput, "unknown-format", "labels are read from CSV with a header, JSON lines and Parquet: name the file by what it holds"), (exit, fault.Code, fault.Help));
        Assert.Contains(".parquet, .csv, .tsv, .jsonl or .ndjson", fault.Message);
    }

    [Fact]
    public async Task What_is_not_UTF8_is_refused()
    {
        var (_, fault) = await RefusedAsync(folder.Write("labels.csv", [.. "id,label\n"u8, 0xff, 0xfe, .. ",1\n"u8]));
        Assert.Equal("is not UTF-8 in row 1", fault.Message);
    }

    [Fact]
    public async Task A_file_that_is_missing_or_a_folder_or_of_no_known_form_is_refused()
    {
        Assert.Equal((ExitCode.UnusableInput, "is not there"), await MessageAsync(folder["labels.csv"]));
        Directory.CreateDirectory(folder["labels.csv"]);
        Assert.Equal((ExitCode.UnusableInput, "is no file"), await MessageAsync(folder["labels.csv"]));
        Assert.Contains("its name must end in", (await MessageAsync(folder.Write("labels.txt", "id,label\na,1\n"))).Message);
    }

    [Fact]
    public async Task A_file_that_may_not_be_read_is_told_so()
    {
        Assert.SkipWhen(Environment.UserName == "root", "the administrator may read everything");
        File.SetUnixFileMode(folder.Write("labels.csv", "id,label\na,1\n"), UnixFileMode.None);
        Assert.Equal((ExitCode.NotThere, "cannot be read"), await MessageAsync(folder["labels.csv"]));
    }

    private async Task<(ExitCode, string Message)> MessageAsync(string path) => await RefusedAsync(path) is var (exit, fault) ? (exit, fault.Message) : default;

    private async Task<(ExitCode Exit, Fault Fault)> RefusedAsync(string path)
    {
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => new LabelFile(path, "id", "label").SendAsync(lines => TakeAsync(lines, null), TestContext.Current.CancellationToken));
        return (refused.Exit, Assert.Single(refused.Faults));
    }

    private Task<LabelReceipt> TellAsync(string name, string content, string? problem = null) =>
        new LabelFile(folder.Write(name, content), "id", "label").SendAsync(lines => TakeAsync(lines, problem), TestContext.Current.CancellationToken);

    private Task<LabelReceipt> TakeAsync(ReadOnlyMemory<byte> lines, string? problem)
    {
        var labels = Encoding.UTF8.GetString(lines.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize(line, MonitoringJson.Default.PredictionLabel)!).ToArray();
        sent.AddRange(labels);
        return Task.FromResult(LabelReceipt.Empty with { Matched = labels.Length, Problems = problem is null ? [] : [problem] });
    }
}
