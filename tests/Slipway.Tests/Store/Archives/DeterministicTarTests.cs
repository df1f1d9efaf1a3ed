using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;

namespace Slipway.Tests.Store.Archives;

public sealed class DeterministicTarTests : IDisposable
{
    private const long Epoch = 315_532_800;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    public static byte[] Archive(params ArchiveEntry[] entries)
    {
        var output = new MemoryStream();
        DeterministicTar.Write(output, entries, Epoch, Stop);
        return output.ToArray();
    }

    public static ArchiveEntry Text(string path, string content) => ArchiveEntry.OfBytes(path, Encoding.UTF8.GetBytes(content));

    [Fact]
    public void Gnu_tar_writes_the_same_bytes()
    {
        var deep = "folder/" + new string('d', 80) + "/" + new string('n', 60) + ".txt";
        foreach (var path in (string[])["b.txt", "a/z.txt", "a-b", deep])
            scratch.Write("in/" + path, Encoding.UTF8.GetBytes("content of " + path));
        File.SetUnixFileMode(scratch["in/b.txt"], (UnixFileMode)0b111_000_000);
        var (code, output) = Tool.Run("tar", "-C", scratch["in"], "-b1", "--format=ustar", "--numeric-owner", "--owner=0", "--group=0", "--mode=u=rwX,go=rX",
            "--mtime=@315532800", "-cf", scratch["gnu.tar"], "a-b", "a/z.txt", "b.txt", deep);
        Assert.True(code == 0, output);

        var entries = new[] { "b.txt", "a/z.txt", "a-b", deep }.Select(path => new ArchiveEntry(path, path == "b.txt", scratch["in/" + path]));
        using (var ours = File.Create(scratch["ours.tar"]))
            DeterministicTar.Write(ours, [.. entries], Epoch, Stop);

        Assert.Equal(Digest.Of(File.ReadAllBytes(scratch["gnu.tar"])), Digest.Of(File.ReadAllBytes(scratch["ours.tar"])));
    }

    [Fact]
    public void Gnu_tar_extracts_paths_that_need_an_extended_header()
    {
        var unicode = "größe/模型-😀.bin";
        var longName = new string('x', 200) + "/" + new string('y', 200);
        File.WriteAllBytes(scratch["a.tar"], Archive(Text(unicode, "one"), Text(longName, "two")));
        Directory.CreateDirectory(scratch["out"]);

        var (code, output) = Tool.Run("tar", "-C", scratch["out"], "-xf", scratch["a.tar"]);

        Assert.True(code == 0, output);
        Assert.Equal("one", File.ReadAllText(scratch["out/" + unicode]));
        Assert.Equal("two", File.ReadAllText(scratch["out/" + longName]));
    }

    [Fact]
    public void A_size_of_eight_gibibytes_stands_in_an_extended_record_and_one_less_does_not()
    {
        const long limit = 8L << 30;
        var large = TarHeader.Render("m", "m"u8.ToArray(), limit, false, Epoch);
        Assert.Equal(TarHeader.Block, TarHeader.Render("m", "m"u8.ToArray(), limit - 1, false, Epoch).Length);
        Assert.Equal(3 * TarHeader.Block, large.Length);
        Assert.Equal("19 size=8589934592\n", Encoding.ASCII.GetString(large, TarHeader.Block, 19));

        // Python's own reader, on the headers alone.
        File.WriteAllBytes(scratch["large.tar"], large);
        var (code, output) = Tool.Run("/usr/bin/python3", "-c",
            $"import tarfile,io; t=tarfile.open(fileobj=io.BytesIO(open('{scratch["large.tar"]}','rb').read())); print(t.firstmember.size, t.firstmember.name)");
        Assert.True(code == 0, output);
        Assert.Equal("8589934592 m\n", output);

        var item = new TarReader(new MemoryStream(large), ArchiveLimits.Default).Next();
        Assert.Equal(new TarItem("m", limit, false, Epoch), item);
    }

    [Fact]
    public void The_bytes_depend_on_nothing_but_names_contents_and_execute_bits()
    {
        var program = scratch.Write("elsewhere/program", "run"u8);
        File.SetLastWriteTimeUtc(program, DateTime.UnixEpoch.AddYears(40));
        var one = Archive(Text("b", "2"), new ArchiveEntry("p", true, program), Text("a", "1"));
        var two = Archive(Text("a", "1"), Text("b", "2"), ArchiveEntry.OfBytes("p", "run"u8.ToArray()) with { Executable = true });

        Assert.Equal(one, two);
        Assert.NotEqual(one, Archive(Text("a", "1"), Text("b", "2"), Text("p", "run")));
        Assert.NotEqual(one, Archive(Text("a", "1"), Text("b", "3"), new ArchiveEntry("p", true, program)));
    }

    [Fact]
    public void Extraction_gives_content_modes_and_time_back()
    {
        var tar = Archive(Text("docs/read.me", "hello"), Text("run", "#!/bin/sh\n") with { Executable = true }, Text("empty", ""));

        Assert.Equal(3, DeterministicTar.Extract(new MemoryStream(tar), scratch["out"], ArchiveLimits.Default, null, Stop));

        Assert.Equal("hello", File.ReadAllText(scratch["out/docs/read.me"]));
        Assert.Equal(0, new FileInfo(scratch["out/empty"]).Length);
        Assert.Equal((UnixFileMode)0b110_100_100, File.GetUnixFileMode(scratch["out/docs/read.me"]));
        Assert.Equal((UnixFileMode)0b111_101_101, File.GetUnixFileMode(scratch["out/run"]));
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(Epoch), File.GetLastWriteTimeUtc(scratch["out/run"]));
    }

    [Fact]
    public void A_source_that_grows_meanwhile_is_refused()
    {
        var source = scratch.Write("log", "12345"u8);
        var growing = new GrowOnWrite(source);

        var refused = Assert.Throws<SlipwayException>(() => DeterministicTar.Write(growing, [new ArchiveEntry("log", false, source)], Epoch, Stop));

        Assert.Equal("archive-source-changed", Assert.Single(refused.Faults).Code);
    }

    [Fact]
    public void A_source_that_is_missing_is_named()
    {
        var refused = Assert.Throws<SlipwayException>(() => Archive(new ArchiveEntry("a", false, scratch["nothing"])));

        Assert.Equal(("archive-source", ExitCode.UnusableInput), (Assert.Single(refused.Faults).Code, refused.Exit));
        Assert.Contains(scratch["nothing"], refused.Message);
    }

    [Fact]
    public void Whatever_is_written_is_read_back()
    {
        var name = Gen.Elements("a", "b", "c-d", "ä", "x y", new string('l', 120)).Select(part => part);
        var path = Gen.NonEmptyListOf(name).Where(parts => parts.Count <= 5).Select(parts => string.Join('/', parts) + ".f");
        var content = Gen.Choose(0, 1_500).Select(length => Enumerable.Range(0, length).Select(i => (byte)(i * 31)).ToArray());
        var entry = Gen.Zip(path, content).Select(pair => ArchiveEntry.OfBytes(pair.Item1, pair.Item2));
        var entries = Gen.ListOf(entry).Select(list => list.DistinctBy(one => one.Path).ToArray());

        Check.QuickThrowOnFailure(Prop.ForAll(entries.ToArbitrary(), files =>
        {
            var read = DeterministicTar.ReadAll(new MemoryStream(Archive(files)), maxBytes: 1 << 20);
            return read.Count == files.Length && files.All(file => read[file.Path].Span.SequenceEqual(file.Content.Span));
        }));
    }

    [Fact]
    public void A_changed_byte_is_refused_or_is_another_archive_that_we_would_write()
    {
        var tar = Archive(Text("a/b.txt", "hello"), Text("größe", "hi"), Text("run", "x") with { Executable = true });
        var accepted = 0;
        for (var at = 0; at < tar.Length; at++)
        {
            var changed = (byte[])tar.Clone();
            changed[at] ^= 0x01;
            try
            {
                var files = DeterministicTar.ReadAll(new MemoryStream(changed), maxBytes: 1 << 20);
                var again = Archive([.. files.Select(file => ArchiveEntry.OfBytes(file.Key, file.Value) with { Executable = file.Key == "run" })]);
                Assert.Equal(changed, again);
                accepted++;
            }
            catch (SlipwayException e)
            {
                Assert.Equal(ExitCode.UnusableInput, e.Exit);
            }
        }

        // Every byte of content, and the three changes of 'größe' that are again letters.
        Assert.Equal("hello".Length + "hi".Length + "x".Length + 3, accepted);
    }

    [Fact]
    public void Ten_thousand_files_stay_within_the_limit_and_one_more_does_not()
    {
        var files = Enumerable.Range(0, 10_000).Select(i => Text($"d{i / 100:d3}/{i:d5}", "x")).ToArray();
        var limits = new ArchiveLimits { MaxEntries = 10_000 };

        DeterministicTar.Check(new MemoryStream(Archive(files)), limits);
        Assert.Equal(10_000, DeterministicTar.Extract(new MemoryStream(Archive(files)), scratch["out"], limits, null, Stop));

        var refused = Assert.Throws<SlipwayException>(() => DeterministicTar.Check(new MemoryStream(Archive([.. files, Text("z", "x")])), limits));
        Assert.Equal("archive-too-many-entries", Assert.Single(refused.Faults).Code);
    }

    [Fact]
    public void Checking_a_large_archive_holds_one_buffer_whatever_its_size()
    {
        const int files = 200, size = 1 << 20;
        using (var output = File.Create(scratch["large.tar"]))
            DeterministicTar.Write(output, [.. Enumerable.Range(0, files).Select(i => new ArchiveEntry($"f{i:d3}", false, null) { Content = Shared })], Epoch, Stop);

        using var tar = File.OpenRead(scratch["large.tar"]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        DeterministicTar.Check(tar, ArchiveLimits.Default);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(files * (512L + size) + 1_024, tar.Length);
        Assert.InRange(allocated, 0, size);
    }

    private static readonly byte[] Shared = new byte[1 << 20];

    /// <summary>Appends to the source as soon as its header is written.</summary>
    private sealed class GrowOnWrite(string source) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            base.Write(buffer);
            if (Length == TarHeader.Block)
                File.AppendAllText(source, "6");
        }
    }
}
