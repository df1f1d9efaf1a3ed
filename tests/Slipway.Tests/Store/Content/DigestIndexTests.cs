using System.Runtime.InteropServices;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Tests.Store.Content;

public sealed class DigestIndexTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;
    private readonly ShiftedClock later = new(TimeSpan.FromHours(1));

    private string IndexFile => Path.Combine(folder, "state", "digests");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_digest_is_that_of_the_content()
    {
        var file = Write("a.txt", "abc");
        Assert.Equal("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", DigestIndex.Open(IndexFile).Of(file).ToString());
    }

    [Fact]
    public void An_unchanged_file_is_not_read_again()
    {
        var file = Write("a.txt", "abc");
        var index = DigestIndex.Open(IndexFile, later);
        index.Of(file);
        index.Save();
        PlantInIndex(Digest.Of("planted"u8), Digest.Of("abc"u8));
        Assert.Equal(Digest.Of("planted"u8), DigestIndex.Open(IndexFile, later).Of(file));
    }

    [Fact]
    public void A_rewrite_of_the_same_size_and_modification_time_is_seen()
    {
        var file = Write("a.txt", "abc");
        var index = DigestIndex.Open(IndexFile, later);
        Assert.Equal(Digest.Of("abc"u8), index.Of(file));
        var modified = File.GetLastWriteTimeUtc(file);
        WaitForATick();
        File.WriteAllText(file, "xyz");
        File.SetLastWriteTimeUtc(file, modified);
        Assert.Equal(Digest.Of("xyz"u8), index.Of(file));
    }

    [Fact]
    public void A_file_replaced_by_another_is_seen()
    {
        var file = Write("a.txt", "abc");
        var other = Write("b.txt", "xyz");
        File.SetLastWriteTimeUtc(other, File.GetLastWriteTimeUtc(file));
        var index = DigestIndex.Open(IndexFile, later);
        Assert.Equal(Digest.Of("abc"u8), index.Of(file));
        AtomicFile.Rename(other, file);
        Assert.Equal(Digest.Of("xyz"u8), index.Of(file));
    }

    [Fact]
    public void A_file_as_young_as_the_look_at_it_is_not_remembered()
    {
        var file = Write("a.txt", "abc");
        File.SetLastWriteTimeUtc(file, new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var index = DigestIndex.Open(IndexFile);
        index.Of(file);
        index.Save();
        Assert.False(File.Exists(IndexFile));
    }

    [Fact]
    public void A_file_older_than_the_look_at_it_is_remembered()
    {
        var file = Write("a b\n\\c.txt", "abc");
        var index = DigestIndex.Open(IndexFile, later);
        index.Of(file);
        index.Save();
        PlantInIndex(Digest.Of("planted"u8), Digest.Of("abc"u8));
        Assert.Equal(Digest.Of("planted"u8), DigestIndex.Open(IndexFile).Of(file));
    }

    [Fact]
    public void An_index_that_cannot_be_written_costs_time_and_no_more()
    {
        var file = Write("a.txt", "abc");
        var index = DigestIndex.Open(Path.Combine(file, "index"), later);   // a file is no folder
        Assert.Equal(Digest.Of("abc"u8), index.Of(file));
        Assert.Null(Record.Exception(index.Save));
    }

    [Fact]
    public void An_index_that_did_not_change_is_not_written()
    {
        var file = Write("a.txt", "abc");
        var index = DigestIndex.Open(IndexFile, later);
        index.Of(file);
        index.Save();
        var stamp = FileStamp.Of(IndexFile);
        var again = DigestIndex.Open(IndexFile, later);
        again.Of(file);
        again.Save();
        Assert.Equal(stamp, FileStamp.Of(IndexFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("slipway-digests 1 00000000\n")]
    [InlineData("slipway-digests 2 00000000\nnot an entry\n")]
    [InlineData("\0\0\0")]
    public void A_foreign_index_is_an_empty_one(string content)
    {
        var file = Write("a.txt", "abc");
        Directory.CreateDirectory(Path.GetDirectoryName(IndexFile)!);
        File.WriteAllText(IndexFile, content);
        Assert.Equal(Digest.Of("abc"u8), DigestIndex.Open(IndexFile).Of(file));
    }

    [Fact]
    public void A_damaged_index_is_an_empty_one_whichever_byte_was_hit()
    {
        var file = Write("a.txt", "abc");
        var index = DigestIndex.Open(IndexFile, later);
        index.Of(file);
        index.Save();
        var good = File.ReadAllBytes(IndexFile);
        for (var i = 0; i < good.Length; i++)
        {
            var bad = good.ToArray();
            bad[i] ^= 1;
            File.WriteAllBytes(IndexFile, bad);
            Assert.Equal(Digest.Of("abc"u8), DigestIndex.Open(IndexFile, later).Of(file));
        }
    }

    [Fact]
    public void A_missing_file_is_unusable_input()
    {
        var e = Assert.Throws<SlipwayException>(() => DigestIndex.Open(IndexFile).Of(Path.Combine(folder, "none")));
        Assert.Equal((ExitCode.UnusableInput, "missing-file"), (e.Exit, e.Faults[0].Code));
    }

    [Fact]
    public void A_folder_is_not_a_file()
    {
        var e = Assert.Throws<SlipwayException>(() => DigestIndex.Open(IndexFile).Of(folder));
        Assert.Equal("not-a-file", e.Faults[0].Code);
    }

    [Fact]
    public void A_file_that_never_rests_is_refused()
    {
        var file = Write("a.txt", "abc");
        var index = DigestIndex.Open(IndexFile, new BusyClock(() => File.AppendAllText(file, "d")));
        var e = Assert.Throws<SlipwayException>(() => index.Of(file));
        Assert.Equal("changing-file", e.Faults[0].Code);
    }

    [Fact]
    public void A_file_that_comes_to_rest_is_read_whole()
    {
        var file = Write("a.txt", "abc");
        var writes = 0;
        var index = DigestIndex.Open(IndexFile, new BusyClock(() =>
        {
            if (++writes < 4)
                File.AppendAllText(file, "d");
        }));
        Assert.Equal(Digest.Of("abcddd"u8), index.Of(file));
    }

    [Fact]
    public void Threads_may_share_an_index()
    {
        var files = Enumerable.Range(0, 40).Select(i => Write($"{i}.txt", $"{i}")).ToList();
        var index = DigestIndex.Open(IndexFile, later);
        Parallel.ForEach([.. files, .. files], file => Assert.Equal(Digest.Of(File.ReadAllBytes(file)), index.Of(file)));
        index.Save();
        Assert.Equal(files.Count, Entries());
    }

    [Fact]
    public void Entries_that_nobody_asked_for_stay_until_they_are_many()
    {
        var files = Enumerable.Range(0, 4).Select(i => Write($"{i}.txt", $"{i}")).ToList();
        var index = DigestIndex.Open(IndexFile, later);
        files.ForEach(file => index.Of(file));
        index.Save();

        var few = DigestIndex.Open(IndexFile, later);
        few.Of(Write("new.txt", "x"));
        few.Save(mostUnasked: 3);
        Assert.Equal(3, Entries());

        var asked = DigestIndex.Open(IndexFile, later);
        foreach (var file in files)
            asked.Of(file);
        asked.Save(mostUnasked: 3);
        Assert.Equal(4, Entries());
        PlantInIndex(Digest.Of("planted"u8), Digest.Of("3"u8));
        Assert.Equal(Digest.Of("planted"u8), DigestIndex.Open(IndexFile, later).Of(files[3]));
    }

    [Fact]
    public void A_longer_index_than_any_of_ours_is_not_read()
    {
        var file = Write("a.txt", "abc");
        Directory.CreateDirectory(Path.GetDirectoryName(IndexFile)!);
        using (var huge = File.Create(IndexFile))
            huge.SetLength(DigestIndex.HeadBytes + 100L * DigestIndex.EntryBytes * 1_000_000_000);
        Assert.Equal(Digest.Of("abc"u8), DigestIndex.Open(IndexFile).Of(file));
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    private long Entries() => (new FileInfo(IndexFile).Length - DigestIndex.HeadBytes) / DigestIndex.EntryBytes;

    // A digest that the content does not have shows that the content was not looked at.
    private void PlantInIndex(Digest instead, Digest of)
    {
        var content = File.ReadAllBytes(IndexFile);
        var at = content.AsSpan().IndexOf(Bytes(of));
        Bytes(instead).CopyTo(content, at);
        DigestIndex.Head(content.AsSpan(DigestIndex.HeadBytes)).CopyTo(content, 0);
        File.WriteAllBytes(IndexFile, content);
    }

    // As it lies in memory.
    private static byte[] Bytes(Digest digest) => MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in digest)).ToArray();

    private void WaitForATick()
    {
        var probe = Path.Combine(folder, "tick");
        File.WriteAllText(probe, "");
        var first = FileStamp.Of(probe)!.Value.Changed;
        do
            File.WriteAllText(probe, "");
        while (FileStamp.Of(probe)!.Value.Changed == first);
    }

    private sealed class BusyClock(Action tick) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow()
        {
            tick();
            return base.GetUtcNow();
        }
    }

    private sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
