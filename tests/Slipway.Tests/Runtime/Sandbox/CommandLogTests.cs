using System.Text;
using Slipway.Runtime.Sandbox;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Runtime.Sandbox;

public sealed class CommandLogTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("the s3cret-value is out", "the *** is out")]
    [InlineData("s3cret-value", "***")]
    [InlineData("s3cret-values3cret-value", "******")]
    [InlineData("s3cret-valu", "s3cret-valu")]
    [InlineData("czNjcmV0LXZhbHVl in base64", "*** in base64")]
    [InlineData("-----BEGIN KEY-----\nlonger line\n", "-----BEGIN KEY-----\n***\n")]
    public void A_secret_is_masked_wherever_its_bytes_are_cut(string said, string expected)
    {
        for (var piece = 1; piece <= said.Length; piece++)
            Assert.Equal(expected, Logged(["s3cret-value", "short\nlonger line\n"], said, piece));
    }

    [Theory]
    [InlineData("s3cret-value\n")]
    [InlineData("user:s3cret-value")]
    [InlineData("ab:s3cret-value:more")]
    public void A_secret_inside_what_is_written_in_base64_is_masked(string text)
    {
        foreach (var written in new[] { Convert.ToBase64String(Encoding.UTF8.GetBytes(text)), Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).Replace('+', '-').Replace('/', '_') })
        {
            var logged = Logged(["s3cret-value"], written, 5);
            Assert.Contains("***", logged);
            Assert.True(logged.Length <= written.Length - 14 + 3, logged);
        }
    }

    [Fact]
    public void The_longer_of_two_secrets_that_begin_alike_is_masked_whole() => Assert.Equal("*** ***", Logged(["abcd", "abcdefgh"], "abcdefgh abcd", 1));

    [Fact]
    public void An_empty_secret_masks_nothing() => Assert.Equal("as it is", Logged([""], "as it is", 3));

    [Theory]
    [InlineData("progress 40/100", 0.4)]
    [InlineData("  progress 1/8 ", 0.125)]
    [InlineData("progress 40 %", 0.4)]
    [InlineData("progress 40%", 0.4)]
    [InlineData("progress 0.25", 0.25)]
    [InlineData("progress 5/4", null)]
    [InlineData("progress 1/0", null)]
    [InlineData("progress -1/4", null)]
    [InlineData("progress", null)]
    [InlineData("progress 120 %", null)]
    [InlineData("progress 3", null)]
    [InlineData("in progress 1/2", null)]
    [InlineData("progress 1e3/1e4", null)]
    [InlineData("progress NaN/1", null)]
    public void A_line_of_progress_is_a_share(string line, double? share) => Assert.Equal(share, Progress.Parse(Encoding.UTF8.GetBytes(line))?.Share);

    [Fact]
    public void Progress_is_found_across_pieces_and_in_lines_that_a_carriage_return_ends()
    {
        var told = new List<double>();
        using (var log = new CommandLog(Path.Combine(folder.Root, "log"), [], progress => told.Add(progress.Share)))
        {
            foreach (var piece in new[] { "prog", "ress 1/4\rpro", "gress 2/4\r", new string('x', 1000), "\nprogress 3/4\n", "progress 4/4" })
                log.Write(Encoding.UTF8.GetBytes(piece));
        }

        Assert.Equal([0.25, 0.5, 0.75], told);
    }

    [Theory]
    [InlineData(CommandLog.Head)]
    [InlineData(CommandLog.Head + 1)]
    [InlineData(CommandLog.Head + CommandLog.Tail)]
    [InlineData(CommandLog.Head + CommandLog.Tail + 1)]
    [InlineData(CommandLog.Head + (3 * CommandLog.Tail) + 77)]
    public void What_is_beyond_the_bound_is_left_out_in_the_middle_alone(int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = (byte)(i % 251);
        var path = Path.Combine(folder.Root, "long");
        using (var log = new CommandLog(path, [], _ => { }))
        {
            for (var at = 0; at < length; at += 100_003)
                log.Write(bytes.AsSpan(at, Math.Min(100_003, length - at)));
        }

        var written = File.ReadAllBytes(path);
        var kept = Math.Min(length, CommandLog.Head + CommandLog.Tail);
        Assert.True(written.AsSpan(0, Math.Min(length, CommandLog.Head)).SequenceEqual(bytes.AsSpan(0, Math.Min(length, CommandLog.Head))));
        var tail = kept - Math.Min(length, CommandLog.Head);
        Assert.True(written.AsSpan(written.Length - tail).SequenceEqual(bytes.AsSpan(length - tail)));
        Assert.Equal(length > kept ? $"\n[{length - kept} bytes are left out here]\n" : "", Encoding.ASCII.GetString(written.AsSpan(Math.Min(length, CommandLog.Head), written.Length - kept)));
    }

    private string Logged(string[] secrets, string said, int piece)
    {
        var path = Path.Combine(folder.Root, "log");
        File.Delete(path);
        using (var log = new CommandLog(path, secrets, _ => { }))
        {
            var bytes = Encoding.UTF8.GetBytes(said);
            for (var at = 0; at < bytes.Length; at += piece)
                log.Write(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
        }

        return File.ReadAllText(path);
    }
}
