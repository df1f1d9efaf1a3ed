using System.Buffers.Binary;
using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;

namespace Slipway.Tests.Store.Archives;

/// <summary>Each archive is one that another program could write; beside each the smallest change that makes it acceptable.</summary>
public sealed class HostileArchiveTests : IDisposable
{
    private readonly ScratchFolder scratch = new();
    private int extracted;

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void A_plain_archive_of_the_same_forge_is_accepted() =>
        Assert.Equal(2, Extract(Forge.Archive(Forge.File("a", "1"), Forge.File("b/c", "22"))));

    [Theory]
    [InlineData("/etc/passwd", "archive-absolute-path")]
    [InlineData("../outside", "archive-parent-path")]
    [InlineData("a/../../outside", "archive-parent-path")]
    [InlineData("a/..", "archive-parent-path")]
    [InlineData("./a", "archive-path-shape")]
    [InlineData("a//b", "archive-path-shape")]
    [InlineData("a/", "archive-path-shape")]
    [InlineData("", "archive-path-shape")]
    [InlineData("a\\..\\b", "archive-path-character")]
    [InlineData("a\nb", "archive-path-character")]
    [InlineData("a\u001b[31m", "archive-path-character")]
    public void A_path_that_leads_astray_is_refused(string path, string code) =>
        AssertRefused(code, Forge.Archive(Forge.File(path, "x")));

    [Theory]
    [InlineData('1', "archive-link")]
    [InlineData('2', "archive-link")]
    [InlineData('3', "archive-device")]
    [InlineData('4', "archive-device")]
    [InlineData('5', "archive-entry-kind")]
    [InlineData('6', "archive-device")]
    [InlineData('7', "archive-entry-kind")]
    [InlineData('L', "archive-entry-kind")]
    [InlineData('S', "archive-entry-kind")]
    [InlineData('g', "archive-entry-kind")]
    [InlineData('\0', "archive-entry-kind")]
    public void Only_regular_files_are_accepted(char kind, string code) =>
        AssertRefused(code, Forge.Archive(Forge.Header("a", 0, kind, link: "../../etc")));

    [Fact]
    public void A_name_that_stands_twice_is_refused() =>
        AssertRefused("archive-duplicate", Forge.Archive(Forge.File("a", "1"), Forge.File("a", "2")));

    [Fact]
    public void Names_out_of_order_are_refused() =>
        AssertRefused("archive-order", Forge.Archive(Forge.File("b", "1"), Forge.File("a", "2")));

    [Fact]
    public void A_file_below_a_file_is_refused_even_with_others_between() =>
        AssertRefused("archive-path-conflict", Forge.Archive(Forge.File("a", "1"), Forge.File("a-", "2"), Forge.File("a/b", "3")));

    [Theory]
    [InlineData(256, true)]
    [InlineData(255, false)]
    public void A_name_of_more_than_255_bytes_is_refused(int length, bool refused)
    {
        var path = new string('n', length);
        var tar = Forge.Archive(Forge.Pax($"{length + 10} path={path}\n"), Forge.Header(path[..100], 0));
        if (refused)
            AssertRefused("archive-name-too-long", tar);
        else
            Assert.Equal(1, Extract(tar));
    }

    [Fact]
    public void A_path_of_more_than_the_limit_is_refused()
    {
        var path = string.Join('/', Enumerable.Repeat(new string('p', 100), 11));
        AssertRefused("archive-name-too-long", Forge.Archive(Forge.Pax(Record("path", path)), Forge.Header("p", 0)));
    }

    [Fact]
    public void An_extended_header_of_gigabytes_is_refused_before_it_is_read() =>
        AssertRefused("archive-name-too-long", Forge.Header("x", 4L << 30, 'x'));

    [Fact]
    public void More_content_than_the_limit_is_refused_before_it_is_read()
    {
        var limits = new ArchiveLimits { MaxTotalBytes = 5 };
        AssertRefused("archive-too-large", Forge.Archive(Forge.File("a", "123"), Forge.Header("b", 3)), limits);
        Assert.Equal(2, Extract(Forge.Archive(Forge.File("a", "123"), Forge.File("b", "12")), limits));
    }

    [Fact]
    public void Sizes_that_overflow_their_sum_are_refused() =>
        AssertRefused("archive-too-large", [.. Forge.File("a", "1"), .. Forge.Pax(Record("size", long.MaxValue.ToString())), .. Forge.Header("b", 0)]);

    [Fact]
    public void More_files_than_the_limit_are_refused() =>
        AssertRefused("archive-too-many-entries", Forge.Archive(Forge.File("a", ""), Forge.File("b", "")), new ArchiveLimits { MaxEntries = 1 });

    [Theory]
    [InlineData(100_000, false)]
    [InlineData(100_001, true)]
    public void A_hundred_thousand_files_are_accepted_and_one_more_is_not(int count, bool refused)
    {
        var tar = new byte[(count * TarHeader.Block) + 1_024];
        for (var i = 0; i < count; i++)
            Forge.Header($"{i:D6}", 0).CopyTo(tar, i * TarHeader.Block);
        if (refused)
            Assert.Equal("archive-too-many-entries", Assert.Throws<SlipwayException>(() => DeterministicTar.Check(new MemoryStream(tar), ArchiveLimits.Default)).Faults.Single().Code);
        else
            DeterministicTar.Check(new MemoryStream(tar), ArchiveLimits.Default);
    }

    /// <summary>A petabyte that is announced and not there: refused at the header, before a byte is written or waited for.</summary>
    [Fact]
    public void A_bomb_is_refused_at_its_header() =>
        AssertRefused("archive-too-large", Forge.Archive(Forge.Pax(Record("size", (1L << 50).ToString())), Forge.Header("bomb", 0)));

    [Fact]
    public void A_wrong_checksum_is_refused()
    {
        var tar = Forge.Archive(Forge.File("a", "1"));
        tar[TarHeader.TimeAt] = (byte)'7';
        AssertRefused("archive-checksum", tar);
    }

    [Fact]
    public void An_archive_that_is_cut_anywhere_is_refused()
    {
        var tar = Forge.Archive(Forge.File("a", "hello"));
        foreach (var length in (int[])[0, 1, 511, 512, 514, 517, 1_023, 1_024, 1_536, 2_047])
            AssertRefused("archive-truncated", tar[..length]);
    }

    [Fact]
    public void Data_behind_the_end_is_refused() =>
        AssertRefused("archive-trailing-data", [.. Forge.Archive(Forge.File("a", "1")), 0]);

    [Fact]
    public void Data_hidden_in_the_padding_is_refused()
    {
        var tar = Forge.Archive(Forge.File("a", "1"));
        tar[TarHeader.Block + 5] = 1;
        AssertRefused("archive-not-deterministic", tar);
    }

    [Theory]
    [InlineData("mtime")]
    [InlineData("GNU.sparse.map")]
    [InlineData("linkpath")]
    public void Other_extended_records_are_refused(string key) =>
        AssertRefused("archive-not-deterministic", Forge.Archive(Forge.Pax(Record(key, "1")), Forge.Header("a", 0)));

    [Theory]
    [InlineData("9 path=a\n9 path=b\n")]
    [InlineData("99 path=a\n")]
    [InlineData("-9 path=a\n")]
    [InlineData("9 path=a ")]
    [InlineData("09 path=a\n")]
    [InlineData("path=a\n")]
    [InlineData("12 size=-1\n")]
    public void A_malformed_extended_header_is_refused(string records) =>
        AssertRefused("archive-not-deterministic", Forge.Archive(Forge.Pax(records), Forge.Header("a", 0)));

    [Fact]
    public void An_extended_path_that_ustar_could_hold_is_refused() =>
        AssertRefused("archive-not-deterministic", Forge.Archive(Forge.Pax("10 path=a\n"), Forge.Header("a", 0)));

    [Fact]
    public void An_extended_path_is_what_is_checked_not_the_short_name_beside_it() =>
        AssertRefused("archive-parent-path", Forge.Archive(Forge.Pax(Record("path", "../../ä")), Forge.Header("harmless", 0)));

    [Fact]
    public void A_path_that_is_not_utf8_is_refused()
    {
        var header = Forge.Header("a", 0);
        header[0] = 0xFF;
        AssertRefused("archive-path-character", Forge.Archive(Forge.Sealed(header)));
    }

    [Theory]
    [InlineData(100, "0000777")]        // mode
    [InlineData(108, "0001750")]        // owner
    [InlineData(265, "root")]           // owner's name
    [InlineData(329, "0000001")]        // device
    [InlineData(500, "x")]              // past the last field
    [InlineData(50, "hidden")]          // behind the name's end
    public void A_header_that_says_more_than_ours_is_refused(int at, string text)
    {
        var header = Forge.Header("a", 0);
        Encoding.ASCII.GetBytes(text).CopyTo(header, at);
        AssertRefused("archive-not-deterministic", Forge.Archive(Forge.Sealed(header)));
    }

    [Fact]
    public void A_binary_size_is_refused()
    {
        var header = Forge.Header("a", 0);
        header[TarHeader.SizeAt] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(TarHeader.SizeAt + 4), -512);
        AssertRefused("archive-not-deterministic", Forge.Archive(Forge.Sealed(header)));
    }

    [Fact]
    public void Two_times_in_one_archive_are_refused() =>
        AssertRefused("archive-not-deterministic", Forge.Archive(Forge.Header("a", 0, epoch: 1), Forge.Header("b", 0, epoch: 2)));

    [Fact]
    public void Something_that_is_no_archive_is_refused() =>
        AssertRefused("archive-checksum", Encoding.ASCII.GetBytes(new string('n', 4_096)));

    [Fact]
    public void A_link_in_the_target_folder_is_not_followed()
    {
        Directory.CreateDirectory(scratch["victim"]);
        Directory.CreateDirectory(scratch["out"]);
        File.CreateSymbolicLink(scratch["out/a"], scratch["victim"]);
        File.CreateSymbolicLink(scratch["out/b"], scratch["victim/file"]);

        AssertRefused("archive-target-taken", Forge.Archive(Forge.File("a/file", "x")), folder: "out");
        AssertRefused("archive-target-taken", Forge.Archive(Forge.File("b", "x")), folder: "out");
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["victim"]));
    }

    [Fact]
    public void A_file_outside_its_place_is_refused()
    {
        byte[] tar = Forge.Archive(Forge.File("model/a", "x"), Forge.File("models", "x"));
        var refused = Assert.Throws<SlipwayException>(() => DeterministicTar.Check(new MemoryStream(tar), ArchiveLimits.Default, below: "model"));
        Assert.Equal("archive-path-outside", Assert.Single(refused.Faults).Code);
        DeterministicTar.Check(new MemoryStream(Forge.Archive(Forge.File("model/a", "x"))), ArchiveLimits.Default, below: "model");
    }

    [Fact]
    public void A_message_never_carries_a_control_character()
    {
        var refused = Assert.Throws<SlipwayException>(() => Extract(Forge.Archive(Forge.File("a\u001b[2Jb", "x"))));
        Assert.DoesNotContain(refused.Message, char.IsControl);
    }

    private int Extract(byte[] tar, ArchiveLimits? limits = null, string folder = "new") =>
        DeterministicTar.Extract(new MemoryStream(tar), scratch[folder == "new" ? $"out-{++extracted}/out" : folder], limits ?? ArchiveLimits.Default, null, TestContext.Current.CancellationToken);

    private void AssertRefused(string code, byte[] tar, ArchiveLimits? limits = null, string folder = "new")
    {
        var refused = Assert.Throws<SlipwayException>(() => Extract(tar, limits, folder));
        Assert.Equal((code, ExitCode.UnusableInput), (Assert.Single(refused.Faults).Code, refused.Exit));
        Assert.Empty(Directory.EnumerateFiles(scratch.Root, "outside*", SearchOption.AllDirectories));
    }

    private static string Record(string key, string value)
    {
        var rest = key.Length + Encoding.UTF8.GetByteCount(value) + 3;
        var length = rest + 1;
        while (length != rest + length.ToString().Length)
            length++;
        return $"{length} {key}={value}\n";
    }
}

/// <summary>Writes tar blocks without asking whether they are good; apart from the writer under test.</summary>
internal static class Forge
{
    public static byte[] Archive(params byte[][] parts) => [.. parts.SelectMany(part => part), .. new byte[1_024]];

    public static byte[] File(string path, string content) => [.. Header(path, content.Length), .. Padded(Encoding.ASCII.GetBytes(content))];

    public static byte[] Pax(string records)
    {
        var bytes = Encoding.UTF8.GetBytes(records);
        return [.. Header("././@PaxHeader", bytes.Length, 'x'), .. Padded(bytes)];
    }

    public static byte[] Header(string path, long size, char kind = '0', string link = "", long epoch = 315_532_800)
    {
        var block = new byte[512];
        Encoding.UTF8.GetBytes(path).AsSpan(0, Math.Min(100, Encoding.UTF8.GetByteCount(path))).CopyTo(block);
        Put(block, 100, "0000644\00000000\00000000\0" + Octal(size) + "\0" + Octal(epoch) + "\0");
        block[156] = (byte)kind;
        Put(block, 157, link);
        Put(block, 257, "ustar\000");
        Put(block, 329, "0000000\00000000\0");
        return Sealed(block);
    }

    /// <summary>With the right checksum.</summary>
    public static byte[] Sealed(byte[] block)
    {
        Put(block, 148, "        ");
        Put(block, 148, Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0') + "\0 ");
        return block;
    }

    private static string Octal(long value) => Convert.ToString(value, 8).PadLeft(11, '0');

    private static void Put(byte[] block, int at, string text) => Encoding.Latin1.GetBytes(text).CopyTo(block, at);

    private static byte[] Padded(byte[] content) => [.. content, .. new byte[(512 - content.Length % 512) % 512]];
}
